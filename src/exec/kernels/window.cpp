#include "exec/kernels/window.h"

#include <algorithm>
#include <string>

namespace cleave::exec {
namespace {

/// Right-aligned copy into a 3-dimensional extent.
void fill(Window::Extent& extent, const std::vector<std::int64_t>& values) {
  std::copy(values.begin(), values.end(), extent.end() - static_cast<std::ptrdiff_t>(values.size()));
}

/// Common parts; pads are left at zero.
Window window_base(const graph::Node& node, const Shape& input, const Shape& output, const Shape& kernel) {
  Window w;
  w.spatial_rank = kernel.size();
  fill(w.input, spatial_dims(input));
  fill(w.output, spatial_dims(output));
  fill(w.kernel, kernel);
  fill(w.stride, node.integers("strides", Shape(kernel.size(), 1)));
  fill(w.dilation, node.integers("dilations", Shape(kernel.size(), 1)));
  return w;
}

/// total padding split as SAME_UPPER (more behind) or SAME_LOWER (more in front) demand.
void split_padding(Window& w, std::size_t axis, std::int64_t total, bool lower) {
  const std::int64_t half = total / 2;
  w.pad_begin[axis] = lower ? total - half : half;
  w.pad_end[axis] = total - w.pad_begin[axis];
}

void take_pads(Window& w, const graph::Node& node) {
  const auto pads = node.integers("pads", Shape(2 * w.spatial_rank, 0));
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(w.spatial_rank);
  fill(w.pad_begin, {pads.begin(), middle});
  fill(w.pad_end, {middle, pads.end()});
}

}  // namespace

Shape spatial_dims(const Shape& shape) {
  return {shape.begin() + 2, shape.end()};
}

Window pooling_window(const graph::Node& node, const Shape& input, const Shape& output, const Shape& kernel) {
  Window w = window_base(node, input, output, kernel);
  const std::string mode = node.text("auto_pad", "NOTSET");
  if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
    for (std::size_t i = 3 - w.spatial_rank; i < 3; ++i) {
      const std::int64_t needed = (w.output[i] - 1) * w.stride[i] + w.reach(i) - w.input[i];
      split_padding(w, i, std::max<std::int64_t>(needed, 0), mode == "SAME_LOWER");
    }
  } else if (mode != "VALID") {
    take_pads(w, node);
  }
  return w;
}

Window transposed_window(const graph::Node& node, const Shape& input, const Shape& output, const Shape& kernel) {
  Window w = window_base(node, input, output, kernel);
  const std::string mode = node.text("auto_pad", "NOTSET");
  if (mode == "NOTSET" && !node.has("output_shape")) {
    take_pads(w, node);
    return w;
  }
  Window::Extent extra{0, 0, 0};
  fill(extra, node.integers("output_padding", Shape(w.spatial_rank, 0)));
  for (std::size_t i = 3 - w.spatial_rank; i < 3; ++i) {
    const std::int64_t whole = (w.input[i] - 1) * w.stride[i] + w.reach(i) + extra[i];
    // ONNX gives the odd element to the front unless SAME_UPPER asks for the back.
    split_padding(w, i, std::max<std::int64_t>(whole - w.output[i], 0), mode != "SAME_UPPER");
  }
  return w;
}

}  // namespace cleave::exec
