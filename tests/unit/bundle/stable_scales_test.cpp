#include "bundle/stable_scales.h"
#include "support/property.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

namespace cleave::bundle {
namespace {

using quant::AffineQuantizer;
using quant::Bits;
using quant::WeightQuantizer;

/// How far a rounding boundary (k + 1/2) s_y is from the nearest multiple of s_x s_w, in output steps.
double nearest_boundary(double input, double weight, double output) {
  const double unit = input * weight;
  double nearest = 1e9;
  for (int k = -255; k < 256; ++k) {
    const double in_units = (k + 0.5) * output / unit;
    nearest = std::min(nearest, std::fabs(in_units - std::nearbyint(in_units)) * unit / output);
  }
  return nearest;
}

TEST(StableScales, GivesTheNumbersWorkedOutByHand) {
  // r = 0.5 / (0.01 * 0.1) = 500: m = 1, 1000 -> p = 999, r = 499.5, s_w = 0.5 / (0.01 * 499.5).
  const WeightQuantizer stable = stable_scales({{0.1F}, 0, Bits{8}}, {0.01F, 0, Bits{8}}, {0.5F, 0, Bits{8}});
  EXPECT_NEAR(stable.scales[0], 0.1 * 500 / 499.5, 1e-7);
}

TEST(StableScales, KeepEveryBoundaryAwayFromEveryAccumulator) {
  cleave::testing::expect_holds([] {
    const auto exponent = [] { return static_cast<float>(*rc::gen::inRange(-4000, 1000)) / 1000.0F; };
    const float input = std::pow(10.0F, exponent() / 2);
    const float weight = std::pow(10.0F, exponent());
    const float output = std::pow(10.0F, exponent() / 2);
    const double ratio = static_cast<double>(output) / (static_cast<double>(input) * weight);
    RC_PRE(ratio < 1 << 13);  // beyond, the spacing of float32 takes a good part
    const WeightQuantizer stable = stable_scales({{weight}, 0, Bits{8}}, {input, 3, Bits{8}}, {output, 5, Bits{8}});
    const double growth = static_cast<double>(stable.scales[0]) / weight;
    RC_ASSERT(growth > 1 - 1e-6);
    RC_ASSERT(growth < 1 + 1.0 / 256);
    const double promised = std::min(1.0 / 2048, 0.5 / ratio);
    RC_ASSERT(nearest_boundary(input, stable.scales[0], output) > 0.7 * promised);
  });
}

TEST(StableScales, LeaveDeadChannelsAlone) {
  const WeightQuantizer stable = stable_scales({{1e-9F}, 0, Bits{8}}, {0.01F, 0, Bits{8}}, {0.5F, 0, Bits{8}});
  EXPECT_EQ(stable.scales[0], 1e-9F);
}

}  // namespace
}  // namespace cleave::bundle
