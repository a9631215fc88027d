#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "exec/kernels/reference/kernels.h"

namespace cleave::exec::reference {
namespace {

/// Pixels [begin, end) of one bin of one axis.
struct Span {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Bin i of a region from pixel `first` to pixel `last`, both included.
Span bin_span(std::int64_t first, std::int64_t last, std::int64_t bins, std::int64_t i, std::int64_t dim) {
  const float size = static_cast<float>(std::max<std::int64_t>(last - first + 1, 1)) / static_cast<float>(bins);
  const auto begin = static_cast<std::int64_t>(std::floor(static_cast<float>(i) * size)) + first;
  const auto end = static_cast<std::int64_t>(std::ceil(static_cast<float>(i + 1) * size)) + first;
  return {std::clamp<std::int64_t>(begin, 0, dim), std::clamp<std::int64_t>(end, 0, dim)};
}

/// The largest value, 0 for an empty bin.
float largest(const float* plane, std::int64_t width, const Span& rows, const Span& columns) {
  if (rows.begin >= rows.end || columns.begin >= columns.end) return 0;
  float best = plane[rows.begin * width + columns.begin];
  for (std::int64_t h = rows.begin; h < rows.end; ++h) {
    for (std::int64_t w = columns.begin; w < columns.end; ++w) best = std::max(best, plane[h * width + w]);
  }
  return best;
}

/// round(coordinate * scale); what no picture is large enough for becomes the largest pixel number that is safe.
std::int64_t pixel_of(float coordinate, float scale) {
  constexpr float kFar = 1e9f;
  const float scaled = std::round(coordinate * scale);
  return static_cast<std::int64_t>(scaled >= -kFar && scaled <= kFar ? scaled : (scaled > 0 ? kFar : -kFar));
}

std::int64_t checked_batch(const KernelCall& call, float value) {
  const std::int64_t batches = call.in(0).shape[0];
  if (value >= 0 && value < static_cast<float>(batches)) return static_cast<std::int64_t>(value);
  throw Error(ErrorKind::kInvalidInput, "node '" + call.node.name + "': a region lies in picture " +
                                            std::to_string(value) + " of " + std::to_string(batches));
}

}  // namespace

void max_roi_pool(const KernelCall& call) {
  const Shape& in = call.in(0).shape;
  const Shape& out = call.out().shape;  // regions, channels, rows, columns
  const float scale = call.node.number("spatial_scale", 1.0f);
  float* y = call.out().as<float>();
  for (std::int64_t r = 0; r < out[0]; ++r) {
    const float* roi = call.in(1).as<float>() + 5 * r;  // picture, x1, y1, x2, y2
    const std::int64_t batch = checked_batch(call, roi[0]);
    for (std::int64_t c = 0; c < out[1]; ++c) {
      const float* plane = call.in(0).as<float>() + (batch * in[1] + c) * in[2] * in[3];
      for (std::int64_t i = 0; i < out[2]; ++i) {
        const Span rows = bin_span(pixel_of(roi[2], scale), pixel_of(roi[4], scale), out[2], i, in[2]);
        for (std::int64_t j = 0; j < out[3]; ++j) {
          const Span columns = bin_span(pixel_of(roi[1], scale), pixel_of(roi[3], scale), out[3], j, in[3]);
          *y++ = largest(plane, in[3], rows, columns);
        }
      }
    }
  }
}

}  // namespace cleave::exec::reference
