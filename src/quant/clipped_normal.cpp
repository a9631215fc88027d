#include "quant/clipped_normal.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cleave::quant {
namespace {

double density(double x) {
  return std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi);
}

/// P(a < x < b) without cancellation in the tails.
double between(double a, double b) {
  if (a > 0) return 0.5 * (std::erfc(a / std::numbers::sqrt2) - std::erfc(b / std::numbers::sqrt2));
  return 0.5 * (std::erfc(-b / std::numbers::sqrt2) - std::erfc(-a / std::numbers::sqrt2));
}

}  // namespace

double clipped_normal_mean(double mean, double deviation, double top) {
  if (deviation <= 0) return std::clamp(mean, 0.0, top);
  const double a = -mean / deviation;
  const double b = (top - mean) / deviation;
  const double inside = deviation * (density(a) - density(b)) + mean * between(a, b);
  if (std::isinf(top)) return inside;
  return inside + top * 0.5 * std::erfc(b / std::numbers::sqrt2);
}

}  // namespace cleave::quant
