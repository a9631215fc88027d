#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "exec/kernels/kernel.h"

namespace cleave::exec {

/// How one axis is resampled: output[o] = sum_t weights[o * taps + t] * input[indices[o * taps + t]].
struct AxisResampling {
  std::size_t axis = 0;
  std::int64_t input = 0;
  std::int64_t output = 0;
  std::size_t taps = 1;  ///< 1 nearest, 2 linear, 4 cubic, more where antialias widens the filter
  std::vector<std::int64_t> indices;
  std::vector<float> weights;
  std::vector<std::int64_t> outside;  ///< outputs that take extrapolation_value instead (tf_crop_and_resize)
};

/// Values of Resize's inputs; empty where one is left out. Each has its entries for the axes of attribute axes.
struct ResizeInputs {
  std::vector<float> roi;  ///< starts, then ends
  std::vector<float> scales;
  std::vector<std::int64_t> sizes;
};

/// The axes that a Resize node changes, in axis order. ONNX's definition (opset 11 to 19) of every
/// coordinate_transformation_mode, nearest_mode, cubic_coeff_a, exclude_outside, antialias, axes and
/// keep_aspect_ratio_policy.
/// Throws Error(kInvalidInput) naming the node when inputs have a wrong number of entries or a scale is not above 0.
std::vector<AxisResampling> resampled_axes(const graph::Node& node, const Shape& input, const Shape& output,
                                           const ResizeInputs& inputs);

/// Inputs of a Resize node whose scales or sizes are constants, without roi; nothing when they are not.
std::optional<ResizeInputs> constant_resize_inputs(const graph::Node& node,
                                                   const std::function<const Tensor*(graph::TensorId)>& constant);

}  // namespace cleave::exec
