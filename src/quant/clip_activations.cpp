#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "quant/clip.h"
#include "quant/entropy_clip.h"
#include "quant/least_mse.h"
#include "quant/lp_step.h"
#include "quant/mean_error.h"
#include "quant/prior_clip.h"
#include "quant/step_search.h"

namespace cleave::quant {

namespace {

using Kind = ClipMethod::Kind;

bool after_relu(const WeightedValues& values) {
  return values.min() >= 0;
}

Range prior_range(const ActivationValues& seen, Bits bits, const ClipMethod& method) {
  const WeightedValues& values = seen.values;
  const std::int32_t top = bits.max_unsigned();
  if (!after_relu(values)) {
    const std::int32_t half = (top + 1) / 2;
    const double multiplier = clip_multiplier(method, bits, {half, top - half}, 0.5 * top);
    return aciq_signed_range(signed_prior(method, values), multiplier, values.min());
  }
  const bool known = !seen.before.empty();
  const Prior prior = known ? signed_prior(method, seen.before) : rectified_prior(method, values);
  Range range = aciq_one_sided_range(prior, clip_multiplier(method, bits, {0, top}, top));
  if (known && seen.before.max() > values.max()) range.hi = std::min(range.hi, values.max());  // a bound cut them off
  return range;
}

Range percentile_range(const WeightedValues& values, double percent) {
  const double kept = percent / 100;
  if (after_relu(values)) return {0, values.quantile(kept)};
  const double cut = (1 - kept) / 2;
  return {values.quantile(cut), values.quantile(1 - cut)};
}

/// The part of the codes that lies on one side when the whole range has them all; 1 at least.
std::int32_t share_of(std::int32_t top, double side, double whole) {
  return std::max(1, static_cast<std::int32_t>(std::nearbyint(top * side / whole)));
}

Range entropy_range(const WeightedValues& values, Bits bits) {
  const double whole = std::max(values.max(), 0.0) - std::min(values.min(), 0.0);
  if (whole <= 0) return {};
  const double clip = entropy_clip(values, share_of(bits.max_unsigned(), values.max_magnitude(), whole));
  return {std::max(values.min(), -clip), std::min(values.max(), clip)};
}

Range range_by(const ActivationValues& seen, Bits bits, const ClipMethod& method) {
  switch (method.kind) {
    case Kind::kMinMax:
      return {seen.values.min(), seen.values.max()};
    case Kind::kAverage:
      return *seen.average;
    case Kind::kPercentile:
      return percentile_range(seen.values, method.parameter);
    case Kind::kEntropy:
      return entropy_range(seen.values, bits);
    default:
      return prior_range(seen, bits, method);
  }
}

/// A grid by its step; the whole range where a float32 holds no such scale.
AffineQuantizer grid_quantizer(const WeightedValues& values, double step, CodeLevels levels, Bits bits) {
  const auto scale = static_cast<float>(step);
  if (step < std::numeric_limits<float>::min() || !std::isfinite(scale)) {
    return affine_quantizer({values.min(), values.max()}, bits);
  }
  return {scale, levels.negative, bits};
}

AffineQuantizer mse_quantizer(const WeightedValues& values, Bits bits) {
  const StepSearch::Best best = StepSearch(values).minimum_over_zero_points(bits.max_unsigned());
  return grid_quantizer(values, best.step, best.levels, bits);
}

AffineQuantizer lp_quantizer(const WeightedValues& values, Bits bits, double p) {
  const std::int32_t top = bits.max_unsigned();
  const bool one_sided = values.min() >= 0 || values.max() <= 0;
  const CodeLevels whole = values.min() >= 0 ? CodeLevels{0, top} : CodeLevels{top, 0};
  const LpGrid grid = one_sided ? LpGrid{lp_step(values, whole, p), whole} : lp_over_zero_points(values, top, p);
  return grid_quantizer(values, grid.found.step, grid.levels, bits);
}

AffineQuantizer quantizer_by(const ActivationValues& seen, Bits bits, const ClipMethod& method) {
  if (method.kind == Kind::kMse) return mse_quantizer(seen.values, bits);
  if (method.kind == Kind::kLp) return lp_quantizer(seen.values, bits, method.parameter);
  return affine_quantizer(range_by(seen, bits, method), bits);
}

bool knows(const ActivationValues& seen, const ClipMethod& method) {
  return method.kind != Kind::kAverage || seen.average.has_value();
}

void check(const ActivationValues& seen, const ClipMethod& method) {
  if (seen.values.empty()) {
    throw Error(ErrorKind::kInvalidInput, "no values to choose a range from", "Calibrate with at least one image.");
  }
  if (!knows(seen, method)) {
    throw Error(
        ErrorKind::kStale,
        "the calibration table has no ranges of single images, which clip '" + clip_method_name(method) + "' averages",
        "Calibrate again, or choose another --clip.");
  }
}

}  // namespace

double affine_mse(const WeightedValues& values, const AffineQuantizer& quantizer) {
  const std::int32_t zero = quantizer.zero_point;
  return mean_square_error(values, quantizer.scale, {zero, quantizer.bits.max_unsigned() - zero});
}

ActivationChoice choose_activation(const ActivationValues& seen, Bits bits, ClipMethod method) {
  check(seen, method);
  if (method == ClipMethod::kAuto) {
    return least_mse([&](const ClipMethod& candidate) { return knows(seen, candidate); },
                     [&](const ClipMethod& candidate) { return choose_activation(seen, bits, candidate); });
  }
  const AffineQuantizer quantizer = quantizer_by(seen, bits, method);
  return {quantizer, method, affine_mse(seen.values, quantizer)};
}

}  // namespace cleave::quant
