#include "tune/input_columns.h"

#include <algorithm>

namespace cleave::tune {

namespace {

using Extent = exec::Window::Extent;

bool is_pointwise(const exec::Window& w) {
  constexpr Extent kOnes{1, 1, 1};
  constexpr Extent kZeros{0, 0, 0};
  return w.kernel == kOnes && w.stride == kOnes && w.pad_begin == kZeros && w.pad_end == kZeros;
}

ColumnGeometry of_convolution(const graph::Graph& graph, const graph::Node& node, const Shape& weights) {
  const Shape& input = graph.tensor(node.inputs[0]).shape;
  ColumnGeometry geometry;
  geometry.window = exec::pooling_window(node, input, graph.tensor(node.outputs[0]).shape, exec::spatial_dims(weights));
  geometry.channels = input[1];
  geometry.groups = node.integer("group", 1);
  exec::Window& w = geometry.window;
  if (is_pointwise(w)) w.input = w.output = {1, 1, w.input_pixels()};  // one long row
  return geometry;
}

/// Index of the first output along an axis that reads input 0 or later, and of the first that reads past the end.
struct InsideRange {
  std::int64_t begin, end;
};
InsideRange inside(std::int64_t at, std::int64_t stride, std::int64_t size, std::int64_t count) {
  const std::int64_t begin = at < 0 ? (-at + stride - 1) / stride : 0;
  const std::int64_t end = at < size ? (size - 1 - at) / stride + 1 : 0;
  return {std::min(begin, count), std::clamp(end, std::min(begin, count), count)};
}

/// row[at + i * stride] for i < count, 0 where that is outside of the row of `size` values.
void fill_run(const float* row, std::int64_t size, std::int64_t at, std::int64_t stride, std::int64_t count,
              float* out) {
  const auto [begin, end] = inside(at, stride, size, count);
  std::fill(out, out + begin, 0.0F);
  if (stride == 1) {
    std::copy(row + at + begin, row + at + end, out + begin);
  } else {
    for (std::int64_t i = begin; i < end; ++i) out[i] = row[at + i * stride];
  }
  std::fill(out + end, out + count, 0.0F);
}

/// One entry of the columns: a channel seen through one pixel of the kernel.
class Entry {
 public:
  Entry(const ColumnGeometry& geometry, const float* samples, std::int64_t group, std::int64_t row)
      : geometry_(geometry), w_(geometry.window) {
    const std::int64_t pixel = row % w_.kernel_pixels();
    const std::int64_t channel = group * geometry.group_channels() + row / w_.kernel_pixels();
    plane_ = samples + channel * w_.input_pixels();
    const Extent kernel{pixel / (w_.kernel[1] * w_.kernel[2]), pixel / w_.kernel[2] % w_.kernel[1],
                        pixel % w_.kernel[2]};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      offset_[axis] = kernel[axis] * w_.dilation[axis] - w_.pad_begin[axis];
    }
  }

  void fill(std::int64_t first, std::int64_t count, float* out) const {
    while (count > 0) {
      const std::int64_t x = first % w_.output[2];
      const std::int64_t run = std::min(count, w_.output[2] - x);
      fill_row(first / w_.output[2], x, run, out);
      first += run;
      count -= run;
      out += run;
    }
  }

 private:
  /// `row`: an output row, counted over planes and samples.
  void fill_row(std::int64_t row, std::int64_t x, std::int64_t count, float* out) const {
    const std::int64_t rows = w_.output[0] * w_.output[1];
    const std::int64_t z = row % rows / w_.output[1] * w_.stride[0] + offset_[0];
    const std::int64_t y = row % w_.output[1] * w_.stride[1] + offset_[1];
    if (z < 0 || z >= w_.input[0] || y < 0 || y >= w_.input[1]) {
      std::fill(out, out + count, 0.0F);
      return;
    }
    const float* line = plane_ + row / rows * geometry_.sample_elements() + (z * w_.input[1] + y) * w_.input[2];
    fill_run(line, w_.input[2], x * w_.stride[2] + offset_[2], w_.stride[2], count, out);
  }

  const ColumnGeometry& geometry_;
  const exec::Window& w_;
  const float* plane_ = nullptr;
  Extent offset_{};
};

}  // namespace

std::optional<ColumnGeometry> column_geometry(const graph::Graph& graph, const graph::Unit& unit) {
  if (unit.weight == graph::TensorId::kNone) return std::nullopt;
  const graph::Node& node = graph.node(unit.main);
  const Shape& weights = graph.tensor(unit.weight).shape;
  if (node.input(1) != unit.weight || graph.tensor(node.inputs[0]).shape.empty()) return std::nullopt;
  if (node.op == "Conv") return of_convolution(graph, node, weights);
  const bool is_gemm = node.op == "Gemm" && node.integer("transA", 0) == 0;
  if (!is_gemm && !(node.op == "MatMul" && weights.size() == 2)) return std::nullopt;
  ColumnGeometry geometry;
  geometry.channels = graph.tensor(node.inputs[0]).shape.back();
  return geometry;
}

void fill_columns(const ColumnGeometry& geometry, const float* samples, std::int64_t group, std::int64_t first_row,
                  std::int64_t rows, std::int64_t first, std::int64_t count, float* out) {
  for (std::int64_t r = 0; r < rows; ++r) {
    Entry(geometry, samples, group, first_row + r).fill(first, count, out + r * count);
  }
}

}  // namespace cleave::tune
