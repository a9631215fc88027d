#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "quant/quantizer.h"
#include "tune/hessian_sum.h"
#include "tune/target_sum.h"
#include "tune/weight_rows.h"

namespace cleave::tune {

/// Codes of a unit's weights, with the bias that belongs to them (empty: the unit's own).
struct RoundedWeights {
  std::string name;
  Tensor codes;
  Tensor bias;
};

/// H of a group, [K, K].
using HessianOfGroup = std::function<std::vector<double>(std::int64_t group)>;

/// GPTQ of the weights as they are.
RoundedWeights gptq_rounding(const Tensor& weights, const quant::WeightQuantizer& quantizer,
                             const ColumnGeometry& geometry, const HessianOfGroup& hessian, int threads);
RoundedWeights gptq_rounding(const Tensor& weights, const quant::WeightQuantizer& quantizer, const HessianSum& hessians,
                             int threads);

/// GPTQ of the least-squares weights for the targets, with the constants that make the means equal.
RoundedWeights compensated_rounding(const Tensor& weights, const quant::WeightQuantizer& quantizer,
                                    const HessianSum& hessians, const TargetSum& targets, double damping, int threads);

}  // namespace cleave::tune
