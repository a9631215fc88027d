#include "quant/clip.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"
#include "core/error.h"
#include "core/parallel.h"
#include "quant/channel_values.h"
#include "quant/entropy_clip.h"
#include "quant/least_mse.h"
#include "quant/lp_step.h"
#include "quant/mean_error.h"
#include "quant/prior_clip.h"
#include "quant/rounding.h"
#include "quant/step_search.h"

namespace cleave::quant {

namespace {

using Kind = ClipMethod::Kind;

constexpr std::int64_t kParallelElements = 1 << 14;  // below, threads cost more than they give

CodeLevels levels_of(const WeightGrid& grid) {
  return {-grid.min_code, grid.max_code};
}

/// The smallest magnitude with at least `fraction` of the mass at or below it.
double magnitude_quantile(const WeightedValues& values, double fraction) {
  double within = values.total;
  auto lowest = values.values.begin();
  auto highest = values.values.end();
  while (lowest != highest) {
    const auto outermost = -*lowest > *(highest - 1) ? lowest++ : --highest;
    within -= values.counts[static_cast<std::size_t>(outermost - values.values.begin())];
    if (within < fraction * values.total) return std::abs(*outermost);
  }
  return 0;
}

double clip_by(const WeightedValues& values, const WeightGrid& grid, Bits bits, const ClipMethod& method) {
  const double largest = values.max_magnitude();
  switch (method.kind) {
    case Kind::kMinMax:
    case Kind::kAverage:
      return largest;
    case Kind::kPercentile:
      return magnitude_quantile(values, method.parameter / 100);
    case Kind::kEntropy:
      return entropy_clip(values, grid.levels());
    default:
      break;
  }
  const double multiplier = clip_multiplier(method, bits, levels_of(grid), grid.levels());
  return aciq_symmetric_clip(signed_prior(method, values), multiplier, largest);
}

}  // namespace

double step_mse(const WeightedValues& values, double step, const WeightGrid& grid) {
  return mean_square_error(values, step, levels_of(grid));
}

StepChoice mse_optimal_step(const WeightedValues& values, const WeightGrid& grid) {
  const StepSearch::Best best = StepSearch(values).minimum(levels_of(grid));
  return {best.step, values.total > 0 ? best.error / values.total : 0, ClipMethod::kMse};
}

StepChoice choose_step(const WeightedValues& values, const WeightGrid& grid, Bits bits, ClipMethod method) {
  if (values.max_magnitude() == 0) return {1, 0, method == ClipMethod::kAuto ? ClipMethod::kMinMax : method};
  if (method == ClipMethod::kAuto) {
    return least_mse([](const ClipMethod& candidate) { return candidate != ClipMethod::kAverage; },
                     [&](const ClipMethod& candidate) { return choose_step(values, grid, bits, candidate); });
  }
  if (method == ClipMethod::kMse) return mse_optimal_step(values, grid);
  const double step = method.kind == Kind::kLp ? lp_step(values, levels_of(grid), method.parameter).step
                                               : clip_by(values, grid, bits, method) / grid.levels();
  return {step, step_mse(values, step, grid), method};
}

namespace {

/// float32 scales; dead channels raised to a part of the largest.
std::vector<float> floored_scales(const std::vector<StepChoice>& steps, const std::vector<double>& magnitudes) {
  double largest = 0;
  for (std::size_t c = 0; c < steps.size(); ++c) {
    if (magnitudes[c] > 0) largest = std::max(largest, steps[c].step);
  }
  const double floor = std::max(largest * kSmallestScaleRatio, double{std::numeric_limits<float>::min()});
  std::vector<float> scales;
  for (std::size_t c = 0; c < steps.size(); ++c) {
    const double step = magnitudes[c] > 0 ? steps[c].step : 0;
    scales.push_back(largest > 0 ? static_cast<float>(std::max(step, floor)) : 1.0F);
  }
  return scales;
}

}  // namespace

double weight_mse(const Tensor& weights, const WeightQuantizer& quantizer) {
  const ChannelLayout layout = ChannelLayout::of(weights.shape(), quantizer.axis);
  CLEAVE_CHECK(layout.channels == static_cast<std::int64_t>(quantizer.scales.size()), "one scale per channel");
  const auto values = weights.data<float>();
  double sum = 0;
  for (std::int64_t run = 0; run < layout.outer * layout.channels; ++run) {
    const auto channel = static_cast<std::size_t>(run % layout.channels);
    const double step = quantizer.scales[channel];
    const double lo = quantizer.grid(channel).min_code;
    const double hi = quantizer.grid(channel).max_code;
    for (std::int64_t i = run * layout.inner; i < (run + 1) * layout.inner; ++i) {
      const double x = values[static_cast<std::size_t>(i)];
      const double difference = x - step * clamped_code(x / step, lo, hi);
      sum += difference * difference;
    }
  }
  return weights.elements() > 0 ? sum / static_cast<double>(weights.elements()) : 0;
}

WeightChoice choose_weights(const Tensor& weights, int axis, const std::vector<Bits>& bits, ClipMethod method) {
  const ChannelLayout layout = ChannelLayout::of(weights.shape(), axis);
  const auto channels = static_cast<std::size_t>(layout.channels);
  CLEAVE_CHECK(bits.size() == channels, "one bit-width per channel");
  Bits widest{2};
  for (const Bits width : bits) {
    CLEAVE_CHECK(width.count >= 2 && width.count <= 8, "weights have 2 to 8 bits");
    widest = std::max(widest, width);
  }
  std::vector<StepChoice> steps(channels);
  std::vector<double> magnitudes(channels);
  const int threads = weights.elements() < kParallelElements ? 1 : 0;
  parallel_for(layout.channels, threads, [&](std::int64_t channel) {
    const WeightedValues values = channel_values(weights, layout, channel);
    const auto c = static_cast<std::size_t>(channel);
    magnitudes[c] = values.max_magnitude();
    steps[c] = choose_step(values, WeightGrid::of(bits[c]), bits[c], method);
  });
  const bool uniform = std::count(bits.begin(), bits.end(), widest) == layout.channels;
  WeightChoice choice{{floored_scales(steps, magnitudes), axis, widest, uniform ? std::vector<Bits>{} : bits}, {}, 0};
  for (const StepChoice& step : steps) choice.methods.push_back(step.method);
  choice.mse = weight_mse(weights, choice.quantizer);
  return choice;
}

WeightChoice choose_weights(const Tensor& weights, int axis, Bits bits, ClipMethod method) {
  const auto channels = static_cast<std::size_t>(ChannelLayout::of(weights.shape(), axis).channels);
  return choose_weights(weights, axis, std::vector<Bits>(channels, bits), method);
}

bool has_one_scale(const WeightQuantizer& quantizer) {
  return std::all_of(quantizer.scales.begin(), quantizer.scales.end(),
                     [&quantizer](float scale) { return scale == quantizer.scales[0]; });
}

WeightChoice choose_tensor_weights(const Tensor& weights, int axis, Bits bits, ClipMethod method) {
  const auto channels = static_cast<std::size_t>(ChannelLayout::of(weights.shape(), axis).channels);
  WeightChoice choice = choose_weights(weights.reshaped({1, weights.elements()}), 0, bits, method);
  choice.quantizer.axis = axis;
  choice.quantizer.scales.resize(channels, choice.quantizer.scales[0]);
  choice.methods.resize(channels, choice.methods[0]);
  return choice;
}

}  // namespace cleave::quant
