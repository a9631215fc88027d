#pragma once

#include <vector>

#include "quant/clip.h"

namespace cleave::quant {

/// What a bit-width costs a tensor: relative error power, MSE / E[x^2] (the inverse of SQNR), 0 at 32 bits and where
/// E[x^2] is 0.
struct DistortionRow {
  Bits bits;
  double distortion = 0;
};

/// MSE over the mean square; 0 where that is 0.
double relative_mse(double mse, double mean_square);
/// E[x^2] of a float32 tensor.
double mean_square(const Tensor& tensor);

/// Distortion of an activation tensor at each bit-width (32 allowed: 0), by the chosen clip.
std::vector<DistortionRow> activation_distortion(const ActivationValues& seen, const std::vector<Bits>& bits,
                                                 ClipMethod method);
/// Distortion of a weight tensor at each bit-width.
std::vector<DistortionRow> weight_distortion(const Tensor& weights, int axis, const std::vector<Bits>& bits,
                                             ClipMethod method);

}  // namespace cleave::quant
