#include "quant/entropy_clip.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "golden.h"
#include "quant/clip.h"

namespace cleave::quant {
namespace {

using testing::golden;
using testing::golden_tensor;

WeightedValues normal_values(std::size_t count, std::vector<float> extra) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  for (std::size_t i = 0; i < count; ++i) extra.push_back(normal(random));
  return WeightedValues::exact(extra);
}

/// The definition, bin by bin, for all clips.
double plain_entropy_clip(const WeightedValues& values, std::int32_t levels) {
  constexpr int kBins = 4096;
  const double largest = values.max_magnitude();
  std::vector<double> bins(kBins, 0.0);
  for (std::size_t i = 0; i < values.values.size(); ++i) {
    if (values.values[i] == 0) continue;
    const int bin = static_cast<int>(std::abs(values.values[i]) / largest * kBins);
    bins[static_cast<std::size_t>(std::min(bin, kBins - 1))] += values.counts[i];
  }
  const auto sum_from = [&](int begin, int end) {
    double sum = 0;
    for (int i = begin; i < end; ++i) sum += bins[static_cast<std::size_t>(i)];
    return sum;
  };
  const double all = sum_from(0, kBins);
  double least = std::numeric_limits<double>::infinity();
  int best = kBins;
  for (int count = kBins; count >= levels; --count) {
    const double kept = sum_from(0, count);
    if (kept <= 0) continue;
    std::vector<double> p(bins.begin(), bins.begin() + count);
    p.back() += sum_from(count, kBins);
    std::vector<std::vector<int>> members(static_cast<std::size_t>(levels) + 1);
    for (int i = 0; i < count; ++i) {
      // Half away from zero where a middle lies between two codes.
      members[static_cast<std::size_t>(std::floor((i + 0.5) / count * levels + 0.5))].push_back(i);
    }
    double divergence = 0;
    for (const std::vector<int>& cell : members) {
      double mass = 0;
      double filled = 0;
      for (const int i : cell) {
        mass += bins[static_cast<std::size_t>(i)];
        filled += p[static_cast<std::size_t>(i)] > 0 ? 1 : 0;
      }
      for (const int i : cell) {
        const double share = p[static_cast<std::size_t>(i)] / all;
        if (share > 0) divergence += share * std::log(share / std::max(mass / filled / kept, 1e-9));
      }
    }
    if (divergence >= least) continue;
    least = divergence;
    best = count;
  }
  return largest * best / kBins;
}

TEST(EntropyClip, IsTheDefinitions) {
  const WeightedValues values = normal_values(3000, {7.0F, -6.5F, 0.0F});
  for (const std::int32_t levels : {3, 100}) {
    EXPECT_NEAR(entropy_clip(values, levels), plain_entropy_clip(values, levels), 1e-9) << levels;
  }
}

TEST(EntropyClip, CutsAnOutlierOffAndKeepsWhatIsFull) {
  const double with_outlier = entropy_clip(normal_values(50000, {60.0F}), 128);
  EXPECT_LT(with_outlier, 10);
  EXPECT_GT(with_outlier, 2.5);
  std::vector<float> uniform;
  for (int i = 0; i < 100000; ++i) uniform.push_back(static_cast<float>(i % 10000) / 10000);
  const WeightedValues full = WeightedValues::exact(uniform);
  EXPECT_NEAR(entropy_clip(full, 255), full.max(), 0.01);
}

TEST(EntropyClip, IsNotMovedByZerosNorByTheUnit) {
  const WeightedValues values = normal_values(20000, {});
  const double clip = entropy_clip(values, 8);
  std::vector<float> scaled;
  for (const double x : values.values) scaled.push_back(static_cast<float>(x) * 1024);
  EXPECT_NEAR(entropy_clip(WeightedValues::exact(scaled), 8), 1024 * clip, 1e-3 * 1024 * clip);
  scaled.insert(scaled.end(), 200000, 0.0F);
  EXPECT_NEAR(entropy_clip(WeightedValues::exact(scaled), 8), 1024 * clip, 1e-3 * 1024 * clip);
}

TEST(EntropyClip, ClipsMoreWithFewerCodes) {
  const WeightedValues values = normal_values(200000, {});
  double before = 0;
  for (const std::int32_t levels : {2, 8, 32, 128}) {
    const double clip = entropy_clip(values, levels);
    EXPECT_GE(clip, before) << levels;
    before = clip;
  }
}

TEST(EntropyClip, DoesNotRuinRealActivationsAtEightBits) {
  CLEAVE_NEEDS_SHARED();
  const Json manifest = golden("tensors/manifest.json");
  int seen = 0;
  for (const auto& [name, row] : manifest.items()) {
    if (name.rfind("a_", 0) != 0 || name.find("relu") == std::string::npos) continue;
    const WeightedValues values = WeightedValues::exact(golden_tensor(name).data<float>());
    if (values.min() < 0) continue;
    SCOPED_TRACE(name);
    const double clip = entropy_clip(values, 255);
    const double decibels =
        10 * std::log10(values.mean_square() / affine_mse(values, affine_quantizer({0, clip}, Bits{8})));
    EXPECT_GT(decibels, 33);
    ++seen;
  }
  EXPECT_GE(seen, 3);
}

TEST(EntropyClip, OfZerosIsZero) {
  EXPECT_EQ(entropy_clip(WeightedValues::exact(std::vector<float>(3, 0.0F)), 15), 0);
}

}  // namespace
}  // namespace cleave::quant
