#pragma once

#include <cstdint>
#include <vector>

#include "exec/kernels/kernel.h"

namespace cleave::exec {

/// How one axis is resampled: output[o] = sum_t weights[o * taps + t] * input[indices[o * taps + t]].
struct AxisResampling {
  std::size_t axis = 0;
  std::int64_t input = 0;
  std::int64_t output = 0;
  std::size_t taps = 1;  ///< 1 nearest, 2 linear, 4 cubic
  std::vector<std::int64_t> indices;
  std::vector<float> weights;
};

/// The axes that a Resize node changes, in axis order. ONNX's definition of every coordinate_transformation_mode but
/// tf_crop_and_resize, nearest_mode, cubic_coeff_a and exclude_outside.
///
/// scales   value of the scales input (empty when sizes are given): one per dimension.
std::vector<AxisResampling> resampled_axes(const graph::Node& node, const Shape& input, const Shape& output,
                                           const std::vector<float>& scales);

}  // namespace cleave::exec
