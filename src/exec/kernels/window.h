#pragma once

#include <array>
#include <cstdint>

#include "graph/graph.h"

namespace cleave::exec {

/// A sliding window over up to three spatial dimensions, outermost first; missing dimensions are 1 (pads 0).
struct Window {
  using Extent = std::array<std::int64_t, 3>;
  std::size_t spatial_rank = 2;
  Extent input{1, 1, 1};
  Extent output{1, 1, 1};
  Extent kernel{1, 1, 1};
  Extent stride{1, 1, 1};
  Extent dilation{1, 1, 1};
  Extent pad_begin{0, 0, 0};
  Extent pad_end{0, 0, 0};  ///< as the node says, or as auto_pad implies

  std::int64_t input_pixels() const { return input[0] * input[1] * input[2]; }
  std::int64_t output_pixels() const { return output[0] * output[1] * output[2]; }
  std::int64_t kernel_pixels() const { return kernel[0] * kernel[1] * kernel[2]; }
  /// (kernel - 1) * dilation + 1
  std::int64_t reach(std::size_t axis) const { return (kernel[axis] - 1) * dilation[axis] + 1; }
};

/// Window of Conv, MaxPool, AveragePool, LpPool.
Window pooling_window(const graph::Node& node, const Shape& input, const Shape& output, const Shape& kernel);

/// Window of ConvTranspose: `input` is the small side. auto_pad and output_shape are resolved into pads.
Window transposed_window(const graph::Node& node, const Shape& input, const Shape& output, const Shape& kernel);

/// Spatial part of an N, C, spatial... shape.
Shape spatial_dims(const Shape& shape);

}  // namespace cleave::exec
