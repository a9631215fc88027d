#include "exec/kernels/resize_axis.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.h"

namespace cleave::exec {
namespace {

struct Sampling {
  std::string mode;
  std::string coordinates;
  std::string nearest;
  float cubic_a = -0.75f;
  bool exclude_outside = false;
  bool antialias = false;

  bool crops() const { return coordinates == "tf_crop_and_resize"; }
};

Sampling sampling_of(const graph::Node& node) {
  return {node.text("mode", "nearest"),
          node.text("coordinate_transformation_mode", "half_pixel"),
          node.text("nearest_mode", "round_prefer_floor"),
          node.number("cubic_coeff_a", -0.75f),
          node.integer("exclude_outside", 0) != 0,
          node.integer("antialias", 0) != 0};
}

/// One axis of the request.
struct AxisRequest {
  std::size_t axis = 0;
  std::int64_t input = 0;
  std::int64_t output = 0;
  float scale = 1;
  float start = 0;  ///< of the region of interest, in parts of the axis
  float end = 1;

  bool changes_nothing() const { return input == output && scale == 1.0f && start == 0.0f && end == 1.0f; }
};

/// Where output position o stands on the input axis, in float32 as ONNX Runtime computes it.
float source_position(const Sampling& s, const AxisRequest& a, float o) {
  const auto input = static_cast<float>(a.input);
  const auto output = static_cast<float>(a.output);
  if (s.coordinates == "asymmetric") return o / a.scale;
  if (s.coordinates == "align_corners") return a.output == 1 ? 0.0f : o * (input - 1) / (output - 1);
  if (s.coordinates == "pytorch_half_pixel" && a.output <= 1) return 0.0f;
  if (s.coordinates == "tf_half_pixel_for_nn") return (o + 0.5f) / a.scale;
  if (s.crops()) {
    if (a.output <= 1) return 0.5f * (a.start + a.end) * (input - 1);
    return a.start * (input - 1) + o * (a.end - a.start) * (input - 1) / (output - 1);
  }
  if (s.coordinates == "half_pixel_symmetric") {
    const float adjustment = output / (a.scale * input);
    return input / 2.0f * (1.0f - adjustment) + (o + 0.5f) / a.scale - 0.5f;
  }
  return (o + 0.5f) / a.scale - 0.5f;
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

float filter_weight(const Sampling& s, float d) {
  return s.mode == "cubic" ? cubic_weight(s.cubic_a, d) : std::max(0.0f, 1.0f - std::abs(d));
}

/// Input positions first, first + 1, ... weigh filter((position - x) * shrink); the edge stands for what is outside
/// unless that is excluded. Weights are brought to a sum of 1 where they would not have it by themselves.
void add_filter(AxisResampling& r, const Sampling& s, float x, std::int64_t first, float shrink) {
  float sum = 0;
  for (std::size_t t = 0; t < r.taps; ++t) {
    const std::int64_t at = first + static_cast<std::int64_t>(t);
    const bool left_out = s.exclude_outside && (at < 0 || at >= r.input);
    const float weight = left_out ? 0.0f : filter_weight(s, (static_cast<float>(at) - x) * shrink);
    r.indices.push_back(std::clamp<std::int64_t>(at, 0, r.input - 1));
    r.weights.push_back(weight);
    sum += weight;
  }
  if (!s.exclude_outside && !s.antialias) return;
  for (std::size_t i = r.weights.size() - r.taps; i < r.weights.size(); ++i) r.weights[i] /= sum;
}

/// Half the width of a filter that is stretched by 1 / shrink so that no input pixel is skipped.
float antialias_reach(const Sampling& s, float shrink) {
  return (s.mode == "cubic" ? 2.0f : 1.0f) / shrink;
}

std::size_t taps_of(const Sampling& s, float shrink) {
  if (s.mode == "nearest") return 1;
  if (s.antialias) return static_cast<std::size_t>(2 * std::ceil(antialias_reach(s, shrink)) + 1);
  return s.mode == "linear" ? 2 : 4;
}

AxisResampling resample_axis(const Sampling& s, const AxisRequest& a) {
  const float shrink = std::min(a.scale, 1.0f);
  AxisResampling r;
  r.axis = a.axis;
  r.input = a.input;
  r.output = a.output;
  r.taps = taps_of(s, shrink);
  for (std::int64_t o = 0; o < a.output; ++o) {
    const float x = source_position(s, a, static_cast<float>(o));
    if (s.crops() && (x < 0 || x > static_cast<float>(a.input - 1))) r.outside.push_back(o);
    if (s.mode == "nearest") {
      add_nearest(r, s, x);
    } else if (s.antialias) {
      const float first = std::floor(x + 1.0f - antialias_reach(s, shrink));
      add_filter(r, s, x, static_cast<std::int64_t>(first), shrink);
    } else if (s.mode == "linear") {
      add_linear(r, x);
    } else {
      add_filter(r, s, x, static_cast<std::int64_t>(std::floor(x)) - 1, 1.0f);
    }
  }
  return r;
}

Error wrong_input(const graph::Node& node, const std::string& what) {
  return Error(ErrorKind::kInvalidInput, "node '" + node.name + "': " + what);
}

void check_counts(const graph::Node& node, const ResizeInputs& inputs, std::size_t axes) {
  const auto fits = [](std::size_t count, std::size_t wanted) { return count == 0 || count == wanted; };
  if (!fits(inputs.scales.size(), axes) || !fits(inputs.sizes.size(), axes) || !fits(inputs.roi.size(), 2 * axes)) {
    throw wrong_input(node,
                      "roi, scales and sizes need one entry (roi: two) for each of " + std::to_string(axes) + " axes");
  }
  const auto usable = [](float scale) { return scale > 0 && std::isfinite(scale); };
  if (!std::all_of(inputs.scales.begin(), inputs.scales.end(), usable)) {
    throw wrong_input(node, "scales must be above 0");
  }
}

/// The one factor of all axes that keep_aspect_ratio_policy asks for; 0 when the picture may be stretched.
float common_scale(const std::string& policy, const std::vector<AxisRequest>& axes, const ResizeInputs& inputs) {
  if (inputs.sizes.empty() || policy == "stretch") return 0;
  float common = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const float scale = static_cast<float>(inputs.sizes[i]) / static_cast<float>(axes[i].input);
    const bool better = policy == "not_larger" ? scale < common : scale > common;
    if (i == 0 || better) common = scale;
  }
  return common;
}

std::vector<AxisRequest> requested_axes(const graph::Node& node, const Shape& input, const Shape& output,
                                        const ResizeInputs& inputs) {
  std::vector<std::int64_t> every;
  for (std::size_t i = 0; i < input.size(); ++i) every.push_back(static_cast<std::int64_t>(i));
  const auto chosen = node.integers("axes", every);
  check_counts(node, inputs, chosen.size());
  std::vector<AxisRequest> axes;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const std::size_t axis = axis_index(chosen[i], input.size());
    const float fitting = static_cast<float>(output[axis]) / static_cast<float>(input[axis]);
    axes.push_back({axis, input[axis], output[axis], inputs.sizes.empty() ? inputs.scales[i] : fitting, 0, 1});
    if (inputs.roi.empty() || !sampling_of(node).crops()) continue;
    axes.back().start = inputs.roi[i];
    axes.back().end = inputs.roi[chosen.size() + i];
  }
  const float common = common_scale(node.text("keep_aspect_ratio_policy", "stretch"), axes, inputs);
  for (AxisRequest& axis : axes) {
    if (common > 0) axis.scale = common;
  }
  std::sort(axes.begin(), axes.end(), [](const AxisRequest& a, const AxisRequest& b) { return a.axis < b.axis; });
  return axes;
}

}  // namespace

std::vector<AxisResampling> resampled_axes(const graph::Node& node, const Shape& input, const Shape& output,
                                           const ResizeInputs& inputs) {
  if (inputs.scales.empty() && inputs.sizes.empty()) throw wrong_input(node, "neither scales nor sizes are given");
  const Sampling sampling = sampling_of(node);
  std::vector<AxisResampling> result;
  for (const AxisRequest& axis : requested_axes(node, input, output, inputs)) {
    if (!axis.changes_nothing()) result.push_back(resample_axis(sampling, axis));
  }
  return result;
}

std::optional<ResizeInputs> constant_resize_inputs(const graph::Node& node,
                                                   const std::function<const Tensor*(graph::TensorId)>& constant) {
  const bool by_sizes = node.input(3) != graph::TensorId::kNone;
  const Tensor* value = constant(node.input(by_sizes ? 3 : 2));
  if (value == nullptr) return std::nullopt;
  if (by_sizes) return ResizeInputs{{}, {}, integers_of(view_of(*value))};
  return ResizeInputs{{}, {value->data<float>().begin(), value->data<float>().end()}, {}};
}

}  // namespace cleave::exec
