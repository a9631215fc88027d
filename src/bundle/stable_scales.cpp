#include "bundle/stable_scales.h"

#include <cmath>

namespace cleave::bundle {

namespace {

constexpr double kFinest = 512;        // steps of 2 in p change s_w by at most 1/256
constexpr double kCoarsest = 1 << 15;  // beyond, float32 scales are too coarse to tell boundaries apart

/// The largest odd whole number up to x >= 1.
double odd_below(double x) {
  return 2 * std::floor((x - 1) / 2) + 1;
}

}  // namespace

quant::WeightQuantizer stable_scales(quant::WeightQuantizer weights, const quant::AffineQuantizer& input,
                                     const quant::AffineQuantizer& output) {
  for (float& scale : weights.scales) {
    const double unit = static_cast<double>(input.scale) * static_cast<double>(scale);
    double ratio = static_cast<double>(output.scale) / unit;
    if (!std::isfinite(ratio) || ratio > kCoarsest || ratio <= 1 / kCoarsest) continue;
    double power = 1;
    for (; ratio * power < kFinest; power *= 2) {
    }
    ratio = odd_below(ratio * power) / power;
    scale = static_cast<float>(static_cast<double>(output.scale) / (static_cast<double>(input.scale) * ratio));
  }
  return weights;
}

}  // namespace cleave::bundle
