#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "quant/histogram.h"
#include "quant/histogram_text.h"
#include "support/property.h"

namespace cleave::quant {
namespace {

using testing::expect_holds;
using Bins = std::vector<FloatHistogram::Bin>;

FloatHistogram histogram_of(const std::vector<float>& values, int shift = 17) {
  FloatHistogram histogram(shift);
  histogram.add(values);
  return histogram;
}

/// Any bit pattern: infinities, NaN, subnormal numbers and both zeros among them.
rc::Gen<std::vector<float>> any_floats() {
  const auto number = rc::gen::map(rc::gen::arbitrary<std::uint32_t>(), [](std::uint32_t bits) {
    // A third each of: any pattern, a number around 1, and a number of few patterns so that bins repeat.
    if (bits % 3 == 0) return std::bit_cast<float>(bits);
    const float around_one = static_cast<float>(static_cast<std::int32_t>(bits)) / 1e9F;
    return bits % 3 == 1 ? around_one : std::nearbyint(around_one);
  });
  return rc::gen::container<std::vector<float>>(number);
}

TEST(FloatHistogram, CountsByTheTopBitsOfThePattern) {
  // 1.0 = 0x3F800000 -> 0x1FC0 at shift 17; 1.01 is in the same 1/64 of the octave, 1.02 in the next.
  EXPECT_EQ(histogram_of({1.0F, 1.01F, 1.02F}).bins(), (Bins{{0x1FC0, 2}, {0x1FC1, 1}}));
  EXPECT_EQ(histogram_of({-2.0F}).bins(), (Bins{{0x6000, 1}}));
}

TEST(FloatHistogram, CountsMinusZeroAsZero) {
  EXPECT_EQ(histogram_of({0.0F, -0.0F}).bins(), (Bins{{0, 2}}));
  FloatHistogram one_by_one;
  one_by_one.add(-0.0F);
  EXPECT_EQ(one_by_one.bins(), (Bins{{0, 1}}));
}

TEST(FloatHistogram, PassesOverNanAndInfinities) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(histogram_of({infinity, -infinity, std::nanf(""), -std::nanf("")}).empty());
  EXPECT_EQ(histogram_of({std::numeric_limits<float>::max()}).total(), 1U);
}

TEST(FloatHistogram, KeepsSubnormalNumbers) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(histogram_of({tiny, 1e-40F, -tiny}).total(), 3U);
  const WeightedValues values = histogram_of({tiny, -tiny}).weighted(-tiny, tiny);
  EXPECT_EQ(values.values, std::vector<double>{0.0});
  EXPECT_EQ(values.counts, std::vector<double>{2.0});
}

TEST(FloatHistogram, GivesTheSameForOneValueAtATime) {
  expect_holds([] {
    const std::vector<float> values = *any_floats();
    FloatHistogram single;
    std::uint64_t finite = 0;
    for (const float value : values) {
      single.add(value);
      finite += std::isfinite(value) ? 1U : 0U;
    }
    RC_ASSERT(single == histogram_of(values));
    RC_ASSERT(single.total() == finite);
  });
}

TEST(FloatHistogram, MergesExactlyInAnyOrderAndGrouping) {
  expect_holds([] {
    const int shift = *rc::gen::inRange(12, 24);
    const std::vector<float> a = *any_floats();
    const std::vector<float> b = *any_floats();
    const std::vector<float> c = *any_floats();
    std::vector<float> all = a;
    all.insert(all.end(), b.begin(), b.end());
    all.insert(all.end(), c.begin(), c.end());
    FloatHistogram left = histogram_of(a, shift);  // (a + b) + c
    left.merge(histogram_of(b, shift));
    left.merge(histogram_of(c, shift));
    FloatHistogram right = histogram_of(c, shift);  // c + (b + a)
    FloatHistogram inner = histogram_of(b, shift);
    inner.merge(histogram_of(a, shift));
    right.merge(inner);
    RC_ASSERT(left == right);
    RC_ASSERT(left == histogram_of(all, shift));
    RC_ASSERT(left.bins() == histogram_of(all, shift).bins());
  });
}

TEST(FloatHistogram, ComesBackFromItsBins) {
  expect_holds([] {
    const FloatHistogram histogram = histogram_of(*any_floats(), 19);
    RC_ASSERT(FloatHistogram::from_bins(19, histogram.bins()) == histogram);
  });
}

TEST(FloatHistogram, RefusesBinsThatCannotBe) {
  EXPECT_THROW(FloatHistogram::from_bins(17, {{0x3FC0, 1}}), Error);     // infinity
  EXPECT_THROW(FloatHistogram::from_bins(17, {{1U << 15, 1}}), Error);   // no such bin
  EXPECT_THROW(FloatHistogram::from_bins(17, {{5, 1}, {5, 1}}), Error);  // twice
  EXPECT_THROW(FloatHistogram::from_bins(17, {{5, 0}}), Error);          // empty
  EXPECT_THROW(FloatHistogram::from_bins(3, {}), Error);                 // no such shift
}

TEST(FloatHistogram, GivesAscendingValuesInsideTheSeenRangeThatKeepTheMass) {
  expect_holds([] {
    std::vector<float> values;
    for (const float value : *any_floats()) {
      if (std::isfinite(value)) values.push_back(value);
    }
    values.push_back(0.75F);
    const auto [lo, hi] = std::minmax_element(values.begin(), values.end());
    const WeightedValues seen = histogram_of(values).weighted(*lo, *hi);
    double total = 0;
    for (const double count : seen.counts) total += count;
    RC_ASSERT(std::abs(total - static_cast<double>(values.size())) < 1e-9 * total);
    RC_ASSERT(seen.total == static_cast<double>(values.size()));
    RC_ASSERT(std::is_sorted(seen.values.begin(), seen.values.end()));
    RC_ASSERT(std::adjacent_find(seen.values.begin(), seen.values.end()) == seen.values.end());
    RC_ASSERT(seen.values.front() >= double{*lo});
    RC_ASSERT(seen.values.back() <= double{*hi});
  });
}

TEST(FloatHistogram, MissesNoValueByMoreThanABin) {
  std::vector<float> values;
  for (int i = -3000; i <= 3000; ++i) values.push_back(static_cast<float>(i) * 0.003F);
  const WeightedValues seen = histogram_of(values).weighted(values.front(), values.back());
  for (const float value : values) {
    const auto next = std::lower_bound(seen.values.begin(), seen.values.end(), double{value});
    double distance = std::numeric_limits<double>::infinity();
    if (next != seen.values.end()) distance = *next - double{value};
    if (next != seen.values.begin()) distance = std::min(distance, double{value} - *(next - 1));
    EXPECT_LE(distance, std::abs(value) / 64);
  }
}

TEST(FloatHistogram, KeepsTheMaximumExactWhereValuesPileUp) {
  const std::vector<float> clipped = {0, 0, 1.5F, 3, 6, 6, 6, 6};  // a ReLU6
  const WeightedValues seen = histogram_of(clipped).weighted(0, 6);
  EXPECT_EQ(seen.values.back(), 6.0);
  EXPECT_EQ(seen.counts.back(), 4.0);
  EXPECT_EQ(seen.values.front(), 0.0);
  EXPECT_EQ(seen.counts.front(), 2.0);
}

TEST(WeightedValues, JoinDuplicatesAndGiveTheMomentsOfTheData) {
  const WeightedValues values = WeightedValues::exact(std::vector<float>{3, -1, 3, 1, 0, 0});
  EXPECT_EQ(values.values, (std::vector<double>{-1, 0, 1, 3}));
  EXPECT_EQ(values.counts, (std::vector<double>{1, 2, 1, 2}));
  EXPECT_DOUBLE_EQ(values.mean(), 1.0);
  EXPECT_DOUBLE_EQ(values.variance(), 14.0 / 6);  // 4 + 1 + 1 + 0 + 4 + 4
  EXPECT_DOUBLE_EQ(values.mean_square(), 20.0 / 6);
  EXPECT_DOUBLE_EQ(values.mean_absolute_deviation(), 8.0 / 6);
  EXPECT_EQ(values.max_magnitude(), 3.0);
  EXPECT_EQ(values.quantile(0.5), 0.0);
  EXPECT_EQ(values.quantile(0.51), 1.0);
  EXPECT_EQ(values.quantile(1.0), 3.0);
}

TEST(WeightedValues, RefuseWhatIsNotFinite) {
  EXPECT_THROW(WeightedValues::exact(std::vector<float>{1, std::nanf("")}), Error);
  EXPECT_THROW(WeightedValues::exact(std::vector<float>{std::numeric_limits<float>::infinity()}), Error);
}

TEST(HistogramText, IsTheDocumentedEncoding) {
  EXPECT_EQ(bins_to_text({}), "");
  // One run: skip 2, length 2, counts 1 and 200 -> bytes 02 02 01 C8 01.
  EXPECT_EQ(bins_to_text({{2, 1}, {3, 200}}), "AgIByAE");
}

TEST(HistogramText, ComesBackForAnyBins) {
  expect_holds([] {
    Bins bins;
    std::uint32_t index = 0;
    for (const auto& [skip, count] : *rc::gen::arbitrary<std::vector<std::pair<std::uint8_t, std::uint32_t>>>()) {
      index += 1 + (skip % 4 == 0 ? std::uint32_t{skip} * 100 : 0);
      bins.emplace_back(index, std::uint64_t{count} * count + 1);
    }
    RC_ASSERT(bins_from_text(bins_to_text(bins)) == bins);
  });
}

TEST(HistogramText, RefusesAnyOtherText) {
  EXPECT_FALSE(bins_from_text("AgIByA"));    // ends inside a number
  EXPECT_FALSE(bins_from_text("AgIB"));      // ends inside a run
  EXPECT_FALSE(bins_from_text("AgIByAF"));   // bits after the end
  EXPECT_FALSE(bins_from_text("Ag!ByAE"));   // not base64
  EXPECT_FALSE(bins_from_text("AgIByAE="));  // padding
  EXPECT_FALSE(bins_from_text("AgA"));       // an empty run
  expect_holds([](const std::string& text) {
    const auto bins = bins_from_text(text);
    if (bins) RC_ASSERT(bins_to_text(*bins) == text);
  });
}

}  // namespace
}  // namespace cleave::quant
