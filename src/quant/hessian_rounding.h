#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quant/quantizer.h"

namespace cleave::quant {

/// Rounding of a layer's weights that looks at its output: with inputs x and weights W (one row per output channel) the
/// error of codes q is
///
///     sum_r E[((W_r - s_r q_r) x)^2] = 1/2 sum_r d_r H d_r^T,   d_r = W_r - s_r q_r,   H = 2 E[x x^T].
///
/// For a convolution x is a column of im2col (input channels of the group x kernel); each group is a layer of its own.
/// H is [inputs, inputs], row-major, symmetric, positive semidefinite.

/// Weights to be rounded and the grid they are rounded to; the scales are given.
struct LayerWeights {
  std::span<const float> values;  ///< [rows, inputs], row-major
  std::int64_t inputs = 0;
  std::span<const float> scales;  ///< one per row, positive
  WeightGrid grid{-127, 127};     ///< at most 8 bits

  std::int64_t rows() const { return static_cast<std::int64_t>(scales.size()); }
};

/// Codes in the order of LayerWeights::values.
using LayerCodes = std::vector<std::int8_t>;

/// clamp(rne(w / s)).
LayerCodes nearest_codes(const LayerWeights& layer);

struct GptqOptions {
  double damping = 0.01;       ///< share of H's mean diagonal added to its diagonal
  bool by_importance = false;  ///< inputs in falling order of H's diagonal ("act order") instead of their own order
  int threads = 1;             ///< 0: all cores; the codes do not depend on it
};

/// GPTQ: rounds one input after the other and lets the inputs not yet rounded make up for the error,
///
///     e = (w_i - s q_i) / U_ii,   w_j -= e U_ij for j > i,   U^T U = (H + lambda I)^-1.
///
/// Inputs that never occurred (H_ii = 0) are rounded to the nearest code: they may occur yet. Cost O(inputs^3 + rows
/// inputs^2). Source: Frantar et al., "GPTQ", ICLR 2023. Throws Error(kInvalidInput) when H is not finite or, damped,
/// not positive definite.
LayerCodes gptq_codes(const LayerWeights& layer, std::span<const double> hessian, const GptqOptions& options = {});

/// OBQ: as GPTQ, but each row rounds next the weight that costs least, those that leave the grid first. Cost
/// O(rows inputs^3): for small kernels (depthwise). Source: Frantar, Alistarh, "Optimal Brain Compression", NeurIPS
/// 2022. `damping` and `threads` of the options count. Throws as gptq_codes.
LayerCodes obq_codes(const LayerWeights& layer, std::span<const double> hessian, const GptqOptions& options = {});

/// 1/2 sum_r d_r H d_r^T, summed row by row.
double output_error(const LayerWeights& layer, std::span<const std::int8_t> codes, std::span<const double> hessian);

}  // namespace cleave::quant
