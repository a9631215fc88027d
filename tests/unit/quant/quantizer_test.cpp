#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "quant/quantizer.h"

namespace cleave::quant {
namespace {

TEST(AffineQuantizer, RoundsTiesToEvenBeforeTheZeroPointIsAdded) {
  const AffineQuantizer odd{1.0F, 3, Bits{4}};
  EXPECT_EQ(odd.code(0.5F), 3);   // rne(0.5) = 0; adding first would give rne(3.5) = 4
  EXPECT_EQ(odd.code(1.5F), 5);   // rne(1.5) = 2
  EXPECT_EQ(odd.code(2.5F), 5);   // rne(2.5) = 2
  EXPECT_EQ(odd.code(-0.5F), 3);  // rne(-0.5) = 0
  EXPECT_EQ(odd.code(-1.5F), 1);  // rne(-1.5) = -2
}

TEST(AffineQuantizer, SaturatesAtBothEndsForAnyFloat) {
  const AffineQuantizer quantizer{0.5F, 5, Bits{4}};
  EXPECT_EQ(quantizer.code(-2.5F), 0);
  EXPECT_EQ(quantizer.code(-1e30F), 0);
  EXPECT_EQ(quantizer.code(5.0F), 15);
  EXPECT_EQ(quantizer.code(1e30F), 15);
  EXPECT_EQ(quantizer.code(std::numeric_limits<float>::infinity()), 15);
  EXPECT_EQ(quantizer.code(-std::numeric_limits<float>::infinity()), 0);
  EXPECT_EQ(quantizer.code(std::numeric_limits<float>::quiet_NaN()), 0);
}

TEST(AffineQuantizer, KeepsZeroExactForEveryWidthAndRange) {
  for (int bits = 1; bits <= 8; ++bits) {
    for (const Range range : {Range{-1, 3}, Range{-0.001, 7}, Range{-9, -2}, Range{2, 5}, Range{-3.3, 0.1}}) {
      const AffineQuantizer quantizer = affine_quantizer(range, Bits{bits});
      EXPECT_EQ(quantizer.fake(0.0F), 0.0F) << bits << " " << range.lo << " " << range.hi;
      EXPECT_GE(quantizer.zero_point, 0);
      EXPECT_LE(quantizer.zero_point, quantizer.bits.max_unsigned());
    }
  }
}

TEST(AffineQuantizer, TakesScaleAndZeroPointFromTheRange) {
  const AffineQuantizer quantizer = affine_quantizer({-1, 2}, Bits{2});  // 3 steps
  EXPECT_EQ(quantizer.scale, 1.0F);
  EXPECT_EQ(quantizer.zero_point, 1);
  const AffineQuantizer tie = affine_quantizer({-2.5, 12.5}, Bits{4});  // -lo / scale = 2.5
  EXPECT_EQ(tie.scale, 1.0F);
  EXPECT_EQ(tie.zero_point, 2);
}

TEST(AffineQuantizer, WidensTheRangeToHoldZero) {
  EXPECT_EQ(affine_quantizer({2, 6}, Bits{2}), (AffineQuantizer{2.0F, 0, Bits{2}}));
  EXPECT_EQ(affine_quantizer({-6, -2}, Bits{2}), (AffineQuantizer{2.0F, 3, Bits{2}}));
}

TEST(AffineQuantizer, GivesAnEmptyOrTinyRangeScaleOne) {
  EXPECT_EQ(affine_quantizer({0, 0}, Bits{8}), (AffineQuantizer{1.0F, 0, Bits{8}}));
  EXPECT_EQ(affine_quantizer({-1e-40, 1e-40}, Bits{8}), (AffineQuantizer{1.0F, 0, Bits{8}}));
}

TEST(AffineQuantizer, KeepsTheScaleFiniteForTheWidestRange) {
  const double largest = std::numeric_limits<float>::max();
  EXPECT_TRUE(std::isfinite(affine_quantizer({-largest, largest}, Bits{1}).scale));
}

TEST(AffineQuantizer, RefusesARangeThatIsNotFinite) {
  EXPECT_THROW(affine_quantizer({0, std::numeric_limits<double>::infinity()}, Bits{8}), Error);
  EXPECT_THROW(affine_quantizer({std::nan(""), 1}, Bits{8}), Error);
}

TEST(RoundHalfEven, AgreesWithTheFloatingPointUnit) {
  for (int i = -4096; i <= 4096; ++i) {
    const float x = static_cast<float>(i) / 16;
    EXPECT_EQ(round_half_even(x), std::nearbyint(x));
    EXPECT_EQ(round_half_even(double{x}), std::nearbyint(double{x}));
  }
}

TEST(WeightGrid, IsFullBelowEightBitsAndNarrowAtEight) {
  EXPECT_EQ(WeightGrid::of(Bits{2}).min_code, -2);
  EXPECT_EQ(WeightGrid::of(Bits{2}).max_code, 1);
  EXPECT_EQ(WeightGrid::of(Bits{2}).levels(), 2);
  EXPECT_EQ(WeightGrid::of(Bits{7}).min_code, -64);
  EXPECT_EQ(WeightGrid::of(Bits{8}).min_code, -127);
  EXPECT_EQ(WeightGrid::of(Bits{8}).max_code, 127);
  EXPECT_EQ(WeightGrid::of(Bits{8}).levels(), 127);
}

TEST(WeightCodes, RoundHalfToEvenAndSaturatePerChannel) {
  const Tensor weights = Tensor::from<float>({2, 3}, std::vector<float>{0.5F, 1.5F, -9.0F, 0.25F, -0.75F, 9.0F});
  const WeightQuantizer quantizer{{1.0F, 0.5F}, 0, Bits{3}};
  const Tensor codes = weight_codes(weights, quantizer);
  const auto seen = codes.data<std::int8_t>();
  EXPECT_EQ(std::vector<int>(seen.begin(), seen.end()), (std::vector<int>{0, 2, -4, 0, -2, 3}));
  const Tensor back = dequantize_weights(codes, quantizer);
  const auto values = back.data<float>();
  EXPECT_EQ(std::vector<float>(values.begin(), values.end()),
            (std::vector<float>{0.0F, 2.0F, -4.0F, 0.0F, -1.0F, 1.5F}));
}

TEST(WeightCodes, FollowTheChannelAxisWhereverItIs) {
  // Shape 2 x 2 x 2, axis 1: elements alternate between the scales in runs of two.
  const Tensor weights = Tensor::from<float>({2, 2, 2}, std::vector<float>{1, 2, 10, 20, 3, 4, 30, 40});
  const Tensor codes = weight_codes(weights, {{1.0F, 10.0F}, 1, Bits{8}});
  const auto seen = codes.data<std::int8_t>();
  EXPECT_EQ(std::vector<int>(seen.begin(), seen.end()), (std::vector<int>{1, 2, 1, 2, 3, 4, 3, 4}));
}

TEST(PackedBytes, RoundUpToWholeBytes) {
  EXPECT_EQ(packed_bytes(9, Bits{3}), 4);
  EXPECT_EQ(packed_bytes(2, Bits{32}), 8);
  EXPECT_EQ(packed_bytes(0, Bits{4}), 0);
}

}  // namespace
}  // namespace cleave::quant
