#include "quant/lp_step.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/check.h"
#include "quant/golden_section.h"
#include "quant/mean_error.h"

namespace cleave::quant {
namespace {

constexpr double kSmallest = 0.02;              // of the step that clips nothing
constexpr double kLargest = 1.1;                // of it: rounding up to beyond the largest value can pay
constexpr std::int32_t kZeroPointStrides = 16;  // of the codes, between the zero points tried first

/// x^p, x >= 0; without std::pow where p is a multiple of 1/2.
class Power {
 public:
  explicit Power(double p) : p_(p), whole_(static_cast<int>(p)), half_(p - whole_ == 0.5) {
    exact_ = p <= 8 && (half_ || p == whole_);
  }
  double operator()(double x) const {
    if (!exact_) return std::pow(x, p_);
    double product = half_ ? std::sqrt(x) : 1;
    for (int i = 0; i < whole_; ++i) product *= x;
    return product;
  }

 private:
  double p_;
  int whole_;
  bool half_;
  bool exact_;
};

/// The step that clips nothing on the sides that have codes.
double unclipped_step(const WeightedValues& values, CodeLevels levels) {
  double step = 0;
  if (levels.positive > 0) step = std::max(step, values.max() / levels.positive);
  if (levels.negative > 0) step = std::max(step, -values.min() / levels.negative);
  return step;
}

}  // namespace

double lp_error(const WeightedValues& values, double step, CodeLevels levels, double p) {
  CLEAVE_CHECK(p > 0 && step > 0, "an Lp error has p > 0 and a step");
  const Power power(p);
  return mean_error(values, step, levels,
                    [&](double count, double difference) { return count * power(std::abs(difference)); });
}

namespace {

/// How thoroughly steps are looked for.
struct Effort {
  int scan;              // steps of the scan
  std::size_t narrowed;  // valleys looked into
  double tolerance;      // of a valley's lowest step, relative
};
constexpr Effort kThorough{160, 5, 1e-6};
constexpr Effort kQuick{40, 1, 1e-3};

LpStep best_step(const WeightedValues& values, CodeLevels levels, double p, Effort effort) {
  if (values.empty()) return {};
  const double whole = unclipped_step(values, levels);
  if (whole <= 0) return {1, lp_error(values, 1, levels, p)};
  const auto error = [&](double step) { return lp_error(values, step, levels, p); };
  const double growth = std::pow(kLargest / kSmallest, 1.0 / effort.scan);
  std::vector<Minimum> scan;
  for (int i = 0; i <= effort.scan; ++i) {
    const double step = whole * kSmallest * std::pow(growth, i);
    scan.push_back({step, error(step)});
  }
  std::sort(scan.begin(), scan.end(), [](const Minimum& a, const Minimum& b) { return a.value < b.value; });
  // Values that were cut off at a bound (Relu6) make a valley about half a code wide there: too narrow for the scan.
  const double half_code = 0.5 / std::max(levels.positive, levels.negative);
  Minimum best = golden_section(error, whole * (1 - half_code), whole * (1 + half_code), effort.tolerance);
  for (std::size_t i = 0; i < effort.narrowed; ++i) {
    const Minimum found = golden_section(error, scan[i].at / growth, scan[i].at * growth, effort.tolerance);
    if (found.value < best.value) best = found;
  }
  return {best.at, best.value};
}

}  // namespace

LpStep lp_step(const WeightedValues& values, CodeLevels levels, double p) {
  return best_step(values, levels, p, kThorough);
}

LpGrid lp_over_zero_points(const WeightedValues& values, std::int32_t top, double p) {
  LpGrid quick{{1, std::numeric_limits<double>::infinity()}, {}};
  const auto consider = [&](std::int32_t zero_point) {
    if (zero_point < 0 || zero_point > top) return;
    const CodeLevels levels{zero_point, top - zero_point};
    const LpStep found = best_step(values, levels, p, kQuick);
    if (found.error < quick.found.error) quick = {found, levels};
  };
  std::int32_t stride = std::max(1, (top + 1) / kZeroPointStrides);
  for (std::int32_t zero_point = 0; zero_point <= top; zero_point += stride) consider(zero_point);
  for (stride /= 2; stride > 0; stride /= 2) {
    const std::int32_t middle = quick.levels.negative;
    consider(middle - stride);
    consider(middle + stride);
  }
  const LpStep thorough = lp_step(values, quick.levels, p);
  return thorough.error < quick.found.error ? LpGrid{thorough, quick.levels} : quick;
}

}  // namespace cleave::quant
