#include "quant/stable_scales.h"
#include "support/property.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

namespace cleave::quant {
namespace {

/// How far a rounding boundary (k + 1/2) s_y, k in [first, end), is from the nearest multiple of s_x s_w slope, in
/// output steps.
double nearest_boundary(double input, double weight, double output, int first = -255, int end = 256, double slope = 1) {
  const double unit = input * weight * slope;
  double nearest = 1e9;
  for (int k = first; k < end; ++k) {
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

TEST(StableScales, KeepBoundariesBelowZeroAwayTooBehindALeakyRelu) {
  // r = 0.6 / (0.01 * 0.1) = 600 needs no fraction, but 599 (k + 1/2) / 0.1 would be whole: r = 1199 / 2.
  const WeightQuantizer by_hand = stable_scales({{0.1F}, 0, Bits{8}}, {0.01F, 0, Bits{8}}, {0.6F, 9, Bits{8}}, 0.1F);
  EXPECT_NEAR(by_hand.scales[0], 0.1 * 600 / 599.5, 1e-7);

  cleave::testing::expect_holds([] {
    const auto exponent = [] { return static_cast<float>(*rc::gen::inRange(-1500, 0)) / 1000.0F; };
    const float input = std::pow(10.0F, exponent());
    const float weight = std::pow(10.0F, exponent());
    const double ratio = 1.0 / (static_cast<double>(input) * weight);
    const float slope = *rc::gen::element(0.1F, 0.01F, 0.2F, 0.25F, 0.5F, 0.05F);
    const WeightQuantizer stable =
        stable_scales({{weight}, 0, Bits{8}}, {input, 3, Bits{8}}, {1.0F, 5, Bits{8}}, slope);
    // In units of s_x s_w a quarter or, where r is counted in finer parts, half of such a part.
    const double promised = slope * std::min(1.0 / 2048, 0.25 / ratio);
    RC_ASSERT(nearest_boundary(input, stable.scales[0], 1.0, -16, 0, slope) > 0.7 * promised);
  });
}

TEST(StableScales, LeaveDeadChannelsAlone) {
  const WeightQuantizer stable = stable_scales({{1e-9F}, 0, Bits{8}}, {0.01F, 0, Bits{8}}, {0.5F, 0, Bits{8}});
  EXPECT_EQ(stable.scales[0], 1e-9F);
}

}  // namespace
}  // namespace cleave::quant
