#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace cleave::tune {

/// What the damage at one network output is measured by.
///
///     kKl            sum_k p_k log(p_k / q_k): p, q the softmax of the float network's scores and of the others
///     kRelativeMse   sum (y - z)^2 / sum y^2
///
/// Scores of classes ([1, classes], one dimension above 1) take kKl, as they are where they are probabilities already
/// (none negative, sum 1 within 1e-3); everything else takes kRelativeMse.
enum class OutputMeasure { kKl, kRelativeMse };
std::string_view output_measure_name(OutputMeasure measure);
OutputMeasure output_measure(const Shape& shape);

/// Damage between the float network's outputs and others of the same sample: the mean over the float32 outputs. 0 for
/// equal ones; infinite when a value is not finite.
double output_damage(std::span<const Tensor> reference, std::span<const Tensor> outputs);

/// -log softmax(scores)[label]; scores that are probabilities already are taken as they are.
double cross_entropy(const Tensor& scores, std::int64_t label);

}  // namespace cleave::tune
