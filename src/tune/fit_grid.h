#pragma once

#include <vector>

#include "core/tensor.h"
#include "quant/quantizer.h"

namespace cleave::tune {

/// The grid with its scale times that factor of 0.5, 0.55 .. 1.1 which brings the rounded values nearest to the
/// targets, by the sum of squared errors over about a million of them; of equals the one nearest to 1.
/// values, targets: [sample][output], one output per sample, float32 of one shape.
quant::AffineQuantizer fit_grid(const quant::AffineQuantizer& grid, const std::vector<std::vector<Tensor>>& values,
                                const std::vector<std::vector<Tensor>>& targets);

}  // namespace cleave::tune
