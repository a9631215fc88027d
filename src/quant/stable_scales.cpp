#include "quant/stable_scales.h"

#include <cmath>

namespace cleave::quant {

namespace {

constexpr double kFinest = 512;        // steps of 2 in p change s_w by at most 1/256
constexpr double kCoarsest = 1 << 15;  // beyond, float32 scales are too coarse to tell boundaries apart

/// The largest odd whole number up to x >= 1.
double odd_below(double x) {
  return 2 * std::floor((x - 1) / 2) + 1;
}

/// The power of two in the denominator of a slope that is a fraction of small whole numbers; 1 for others.
double halves_in(float slope) {
  constexpr int kLargestDenominator = 1000;
  for (int denominator = 1; denominator <= kLargestDenominator; ++denominator) {
    const double numerator = static_cast<double>(slope) * denominator;
    if (std::abs(numerator - std::nearbyint(numerator)) > 1e-6 * std::abs(numerator)) continue;
    return denominator & -denominator;
  }
  return 1;
}

}  // namespace

WeightQuantizer stable_scales(WeightQuantizer weights, const AffineQuantizer& input, const AffineQuantizer& output,
                              float negative_slope) {
  const double halves = halves_in(negative_slope);
  for (float& scale : weights.scales) {
    const double unit = static_cast<double>(input.scale) * static_cast<double>(scale);
    double ratio = static_cast<double>(output.scale) / unit;
    if (!std::isfinite(ratio) || ratio * halves > kCoarsest || ratio <= 1 / kCoarsest) continue;
    double power = halves;
    for (; ratio * power < kFinest; power *= 2) {
    }
    ratio = odd_below(ratio * power) / power;
    scale = static_cast<float>(static_cast<double>(output.scale) / (static_cast<double>(input.scale) * ratio));
  }
  return weights;
}

}  // namespace cleave::quant
