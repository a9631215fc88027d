#include "quant/bit_allocation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "golden.h"
#include "quant/step_search.h"

namespace cleave::quant {
namespace {

using testing::golden;
using testing::golden_tensor;

std::vector<WeightedValues> channels_of(const Tensor& tensor) {
  const auto all = tensor.data<float>();
  const auto count = static_cast<std::size_t>(tensor.shape().at(0));
  const std::size_t each = all.size() / count;
  std::vector<WeightedValues> channels;
  for (std::size_t c = 0; c < count; ++c) channels.push_back(WeightedValues::exact(all.subspan(c * each, each)));
  return channels;
}

double sum_of(const std::vector<int>& bits) {
  return std::accumulate(bits.begin(), bits.end(), 0.0);
}

TEST(BitAllocation, OfAciqIsItsCodes) {
  CLEAVE_NEEDS_SHARED();
  int checked = 0;
  const Json document = golden("aciq_bit_alloc.json");
  for (const Json& record : document.at("records")) {
    if (record.at("mode") != "round") continue;
    SCOPED_TRACE(record.at("tensor").get<std::string>());
    const auto deviations = record.at("std").get<std::vector<double>>();
    EXPECT_EQ(aciq_bits(deviations, record.at("target_bits"), {0, 8}),
              record.at("bits_fixed_target").get<std::vector<int>>());
    ++checked;
  }
  EXPECT_EQ(checked, 28);
}

TEST(BitAllocation, ByMeasuredErrorsIsTheReferencesAndTheBest) {
  CLEAVE_NEEDS_SHARED();
  const AllocationLimits limits{2, 8};
  const Json document = golden("bit_alloc_comparison.json");
  ASSERT_EQ(document.at("records").size(), 28U);
  for (const Json& record : document.at("records")) {
    const auto name = record.at("tensor").get<std::string>();
    const double mean = record.at("M");
    SCOPED_TRACE(name + " " + std::to_string(mean));
    const std::vector<WeightedValues> channels = channels_of(golden_tensor(name));
    std::vector<std::vector<double>> errors;
    std::vector<double> deviations;
    double energy = 0;
    for (const WeightedValues& channel : channels) {
      const StepSearch search(channel);
      errors.emplace_back();
      for (int bits = limits.lowest; bits <= limits.highest; ++bits) {
        errors.back().push_back(search.minimum({1 << (bits - 1), (1 << (bits - 1)) - 1}).error);
      }
      deviations.push_back(std::sqrt(channel.variance()));
      energy += channel.mean_square() * channel.total;
    }
    const auto decibels = [&](const std::vector<int>& bits) {
      double error = 0;
      for (std::size_t c = 0; c < bits.size(); ++c) {
        error += errors[c][static_cast<std::size_t>(bits[c] - limits.lowest)];
      }
      return 10 * std::log10(energy / error);
    };
    const std::vector<int> greedy = greedy_bits(errors, mean, limits);
    EXPECT_EQ(sum_of(greedy), mean * static_cast<double>(channels.size()));
    EXPECT_NEAR(decibels(greedy), record.at("greedy_db"), 1e-3);
    const std::vector<int> by_sigma = log2_sigma_bits(deviations, mean, limits);
    EXPECT_EQ(sum_of(by_sigma), mean * static_cast<double>(channels.size()));
    EXPECT_LE(decibels(by_sigma), decibels(greedy) + 1e-9);
    EXPECT_NEAR(decibels(by_sigma), record.at("log2sigma_db"), 1e-3);
    const std::vector<int> by_bins = aciq_bits_within(deviations, mean, limits);
    EXPECT_EQ(sum_of(by_bins), mean * static_cast<double>(channels.size()));
    EXPECT_NEAR(decibels(by_bins), record.at("aciq_two_thirds_db"), 1e-3);
    EXPECT_NEAR(decibels(std::vector<int>(channels.size(), static_cast<int>(mean))), record.at("uniform_db"), 1e-3);
  }
}

TEST(BitAllocation, OfAciqGivesDeadChannelsTheLeastAndStopsAtTheLimits) {
  EXPECT_EQ(aciq_bits_within(std::vector<double>{0, 1}, 3, {2, 8}), (std::vector<int>{2, 4}));
  EXPECT_EQ(aciq_bits_within(std::vector<double>{1, 5}, 8, {2, 8}), (std::vector<int>{8, 8}));
  EXPECT_EQ(aciq_bits_within(std::vector<double>{0, 0}, 4, {2, 8}), (std::vector<int>{4, 4}));
}

TEST(BitAllocation, ByLogarithmsGivesABitPerDoubledDeviation) {
  const std::vector<double> deviations{1, 2, 4, 8};
  EXPECT_EQ(log2_sigma_bits(deviations, 4.5, {2, 8}), (std::vector<int>{3, 4, 5, 6}));
  EXPECT_EQ(log2_sigma_bits(deviations, 8, {2, 8}), (std::vector<int>{8, 8, 8, 8}));
  EXPECT_EQ(log2_sigma_bits(std::vector<double>{0, 1}, 3, {2, 8}), (std::vector<int>{2, 4}));
}

TEST(BitAllocation, OfGreedIsTheExhaustiveOptimumOfConvexErrors) {
  const AllocationLimits limits{2, 4};
  const std::vector<std::vector<double>> errors{{9, 4, 3}, {5, 1, 0.5}, {20, 10, 6}};
  double best = 1e9;
  for (int a = 0; a < 3; ++a) {
    for (int b = 0; b < 3; ++b) {
      const int c = 3 - a - b;
      if (c < 0 || c > 2) continue;
      best = std::min(best, errors[0][static_cast<std::size_t>(a)] + errors[1][static_cast<std::size_t>(b)] +
                                errors[2][static_cast<std::size_t>(c)]);
    }
  }
  const std::vector<int> bits = greedy_bits(errors, 3, limits);
  double found = 0;
  for (std::size_t c = 0; c < 3; ++c) found += errors[c][static_cast<std::size_t>(bits[c] - 2)];
  EXPECT_EQ(sum_of(bits), 9);
  EXPECT_EQ(found, best);
}

}  // namespace
}  // namespace cleave::quant
