#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "exec/kernels/reference/kernels.h"

namespace cleave::exec::reference {
namespace {

struct RoiSampling {
  bool takes_max = false;
  bool half_pixel = true;
  float spatial_scale = 1;
  std::int64_t ratio = 0;  ///< samples per bin and axis; 0: as many as the bin has pixels
};

RoiSampling sampling_of(const graph::Node& node) {
  // The attribute came with opset 16, and with it the default half_pixel; before, pixels were not shifted.
  RoiSampling s;
  s.takes_max = node.text("mode", "avg") == "max";
  s.half_pixel = node.text("coordinate_transformation_mode", "half_pixel") == "half_pixel";
  s.spatial_scale = node.number("spatial_scale", 1.0f);
  s.ratio = node.integer("sampling_ratio", 0);
  return s;
}

/// One axis of a bin: `samples` positions spread evenly from start.
struct BinAxis {
  float start = 0;
  float size = 0;
  std::int64_t samples = 1;

  float position(std::int64_t i) const {
    return start + (static_cast<float>(i) + 0.5f) * size / static_cast<float>(samples);
  }
};

/// Two neighbouring pixels and the weight of the second.
struct Pair {
  bool outside = false;
  std::int64_t low = 0;
  std::int64_t high = 0;
  float rest = 0;
};

Pair pair_at(float x, std::int64_t dim) {
  if (!(x >= -1.0f && x <= static_cast<float>(dim))) return {true, 0, 0, 0};
  const float inside = std::max(x, 0.0f);
  const auto low = static_cast<std::int64_t>(inside);
  if (low >= dim - 1) return {false, dim - 1, dim - 1, 0};
  return {false, low, low + 1, inside - static_cast<float>(low)};
}

/// Value of one bin: the mean of the samples, or the largest of the weighted pixels (as ONNX Runtime and ONNX's own
/// reference take it).
float bin_value(const RoiSampling& s, const float* plane, const Shape& in, const BinAxis& rows,
                const BinAxis& columns) {
  float sum = 0;
  float best = std::numeric_limits<float>::lowest();
  for (std::int64_t i = 0; i < rows.samples; ++i) {
    const Pair y = pair_at(rows.position(i), in[2]);
    for (std::int64_t j = 0; j < columns.samples; ++j) {
      const Pair x = pair_at(columns.position(j), in[3]);
      std::array<float, 4> parts{};
      if (!y.outside && !x.outside) {
        parts = {(1 - y.rest) * (1 - x.rest) * plane[y.low * in[3] + x.low],
                 (1 - y.rest) * x.rest * plane[y.low * in[3] + x.high],
                 y.rest * (1 - x.rest) * plane[y.high * in[3] + x.low],
                 y.rest * x.rest * plane[y.high * in[3] + x.high]};
      }
      sum += parts[0] + parts[1] + parts[2] + parts[3];
      best = std::max(best, *std::max_element(parts.begin(), parts.end()));
    }
  }
  const std::int64_t samples = rows.samples * columns.samples;
  if (samples == 0) return 0;
  return s.takes_max ? best : sum / static_cast<float>(samples);
}

/// The bins of one axis of a region.
struct RoiAxis {
  float start = 0;
  float bin = 0;
  std::int64_t samples = 1;

  BinAxis at(std::int64_t i) const { return {start + static_cast<float>(i) * bin, bin, samples}; }
};

RoiAxis axis_of(const RoiSampling& s, float begin, float end, std::int64_t bins) {
  const float shift = s.half_pixel ? 0.5f : 0.0f;
  const float start = begin * s.spatial_scale - shift;
  float length = end * s.spatial_scale - shift - start;
  if (!s.half_pixel) length = std::max(length, 1.0f);
  const float bin = length / static_cast<float>(bins);
  const auto pixels = static_cast<std::int64_t>(std::ceil(std::clamp(bin, 0.0f, 1e6f)));
  return {start, bin, s.ratio > 0 ? s.ratio : pixels};
}

std::int64_t checked_batch(const KernelCall& call, std::int64_t roi) {
  const std::int64_t batch = integers_of(call.in(2))[static_cast<std::size_t>(roi)];
  if (batch < 0 || batch >= call.in(0).shape[0]) {
    throw Error(ErrorKind::kInvalidInput, "node '" + call.node.name + "': region " + std::to_string(roi) +
                                              " lies in picture " + std::to_string(batch) + " of " +
                                              std::to_string(call.in(0).shape[0]));
  }
  return batch;
}

}  // namespace

void roi_align(const KernelCall& call) {
  const RoiSampling s = sampling_of(call.node);
  const Shape& in = call.in(0).shape;
  const Shape& out = call.out().shape;  // regions, channels, rows, columns
  float* y = call.out().as<float>();
  for (std::int64_t r = 0; r < out[0]; ++r) {
    const float* corner = call.in(1).as<float>() + 4 * r;  // x1, y1, x2, y2
    const std::int64_t batch = checked_batch(call, r);
    const RoiAxis rows = axis_of(s, corner[1], corner[3], out[2]);
    const RoiAxis columns = axis_of(s, corner[0], corner[2], out[3]);
    for (std::int64_t c = 0; c < out[1]; ++c) {
      const float* plane = call.in(0).as<float>() + (batch * in[1] + c) * in[2] * in[3];
      for (std::int64_t i = 0; i < out[2]; ++i) {
        for (std::int64_t j = 0; j < out[3]; ++j) *y++ = bin_value(s, plane, in, rows.at(i), columns.at(j));
      }
    }
  }
}

}  // namespace cleave::exec::reference
