#include "exec/kernels/resize_axis.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace cleave::exec {
namespace {

struct Sampling {
  std::string mode;
  std::string coordinates;
  std::string nearest;
  float cubic_a = -0.75f;
  bool exclude_outside = false;
};

Sampling sampling_of(const graph::Node& node) {
  return {node.text("mode", "nearest"), node.text("coordinate_transformation_mode", "half_pixel"),
          node.text("nearest_mode", "round_prefer_floor"), node.number("cubic_coeff_a", -0.75f),
          node.integer("exclude_outside", 0) != 0};
}

/// Where output position o stands on the input axis, in float32 as ONNX Runtime computes it.
float source_position(const Sampling& s, float o, std::int64_t input, std::int64_t output, float scale) {
  if (s.coordinates == "asymmetric") return o / scale;
  if (s.coordinates == "align_corners") {
    return output == 1 ? 0.0f : o * static_cast<float>(input - 1) / static_cast<float>(output - 1);
  }
  if (s.coordinates == "pytorch_half_pixel" && output <= 1) return 0.0f;
  if (s.coordinates == "half_pixel_symmetric") {
    const float adjustment = static_cast<float>(output) / (scale * static_cast<float>(input));
    const float center = static_cast<float>(input) / 2.0f;
    return center * (1.0f - adjustment) + (o + 0.5f) / scale - 0.5f;
  }
  return (o + 0.5f) / scale - 0.5f;
}

std::int64_t nearest_index(const Sampling& s, float x) {
  if (s.nearest == "floor") return static_cast<std::int64_t>(std::floor(x));
  if (s.nearest == "ceil") return static_cast<std::int64_t>(std::ceil(x));
  if (s.nearest == "round_prefer_ceil") return static_cast<std::int64_t>(std::floor(x + 0.5f));
  return static_cast<std::int64_t>(std::ceil(x - 0.5f));
}

void add_nearest(AxisResampling& r, const Sampling& s, float x) {
  r.indices.push_back(std::clamp<std::int64_t>(nearest_index(s, x), 0, r.input - 1));
  r.weights.push_back(1.0f);
}

void add_linear(AxisResampling& r, float x) {
  const float inside = std::clamp(x, 0.0f, static_cast<float>(r.input - 1));
  const auto low = static_cast<std::int64_t>(inside);
  r.indices.push_back(low);
  r.indices.push_back(std::min(low + 1, r.input - 1));
  const float rest = inside - static_cast<float>(low);
  r.weights.push_back(1.0f - rest);
  r.weights.push_back(rest);
}

/// Keys' cubic convolution kernel with parameter a at distance d.
float cubic_weight(float a, float d) {
  const float t = std::abs(d);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return 0;
}

void add_cubic(AxisResampling& r, const Sampling& s, float x) {
  const float base = std::floor(x);
  float sum = 0;
  for (int t = -1; t <= 2; ++t) {
    const std::int64_t at = static_cast<std::int64_t>(base) + t;
    const bool outside = at < 0 || at >= r.input;
    const float distance = x - base - static_cast<float>(t);
    const float weight = s.exclude_outside && outside ? 0.0f : cubic_weight(s.cubic_a, distance);
    r.indices.push_back(std::clamp<std::int64_t>(at, 0, r.input - 1));
    r.weights.push_back(weight);
    sum += weight;
  }
  if (!s.exclude_outside) return;
  for (std::size_t i = r.weights.size() - 4; i < r.weights.size(); ++i) r.weights[i] /= sum;
}

AxisResampling resample_axis(const Sampling& s, std::size_t axis, std::int64_t input, std::int64_t output,
                             float scale) {
  AxisResampling r;
  r.axis = axis;
  r.input = input;
  r.output = output;
  r.taps = s.mode == "nearest" ? 1 : (s.mode == "linear" ? 2 : 4);
  for (std::int64_t o = 0; o < output; ++o) {
    const float x = source_position(s, static_cast<float>(o), input, output, scale);
    if (r.taps == 1) add_nearest(r, s, x);
    if (r.taps == 2) add_linear(r, x);
    if (r.taps == 4) add_cubic(r, s, x);
  }
  return r;
}

}  // namespace

std::vector<AxisResampling> resampled_axes(const graph::Node& node, const Shape& input, const Shape& output,
                                           const std::vector<float>& scales) {
  const Sampling sampling = sampling_of(node);
  std::vector<AxisResampling> result;
  for (std::size_t axis = 0; axis < input.size(); ++axis) {
    const float scale =
        scales.empty() ? static_cast<float>(output[axis]) / static_cast<float>(input[axis]) : scales[axis];
    if (input[axis] == output[axis] && scale == 1.0f) continue;
    result.push_back(resample_axis(sampling, axis, input[axis], output[axis], scale));
  }
  return result;
}

}  // namespace cleave::exec
