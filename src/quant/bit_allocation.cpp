#include "quant/bit_allocation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <queue>

#include "core/check.h"
#include "quant/rounding.h"

namespace cleave::quant {
namespace {

constexpr int kRounds = 10;          // of ACIQ's allocation, its target corrected between them
constexpr double kMeanError = 0.01;  // it stops at
constexpr double kDead = -1e3;       // log2 of a deviation of zero

double mean_of(const std::vector<int>& bits) {
  return std::accumulate(bits.begin(), bits.end(), 0.0) / static_cast<double>(bits.size());
}

/// log2 of each channel's share of the bins, for a mean of 0 bits; dead channels have none.
std::vector<double> aciq_logarithms(std::span<const double> deviations) {
  std::vector<double> shares;
  for (const double sigma : deviations) shares.push_back(std::cbrt(sigma * sigma));
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  std::vector<double> logarithms;
  for (const double share : shares) {
    const double bins = static_cast<double>(shares.size()) * (sum > 0 ? share / sum : 0);
    logarithms.push_back(bins > 0 ? std::log2(bins) : kDead);
  }
  return logarithms;
}

std::vector<int> rounded_bits(const std::vector<double>& logarithms, double target, AllocationLimits limits) {
  std::vector<int> bits;
  for (const double logarithm : logarithms) {
    const double wanted = round_half_even(target + logarithm);
    bits.push_back(static_cast<int>(std::clamp<double>(wanted, limits.lowest, limits.highest)));
  }
  return bits;
}

/// Bits with fractions, within the limits.
std::vector<double> filled_to(const std::vector<double>& logarithms, double constant, AllocationLimits limits) {
  std::vector<double> bits;
  for (const double logarithm : logarithms) {
    bits.push_back(std::clamp<double>(constant + logarithm, limits.lowest, limits.highest));
  }
  return bits;
}

}  // namespace

std::vector<int> aciq_bits(std::span<const double> deviations, double mean_bits, AllocationLimits limits) {
  CLEAVE_CHECK(!deviations.empty(), "bits are given to at least one channel");
  const std::vector<double> logarithms = aciq_logarithms(deviations);
  double target = mean_bits;
  std::vector<int> bits = rounded_bits(logarithms, target, limits);
  for (int round = 1; round < kRounds && std::abs(mean_bits - mean_of(bits)) > kMeanError; ++round) {
    target += (mean_bits - mean_of(bits)) / 2;
    bits = rounded_bits(logarithms, target, limits);
  }
  return bits;
}

std::vector<int> aciq_bits_within(std::span<const double> deviations, double mean_bits, AllocationLimits limits) {
  const std::vector<double> wanted = aciq_logarithms(deviations);
  std::vector<int> bits = aciq_bits(deviations, mean_bits, limits);
  const auto budget = static_cast<std::int64_t>(std::floor(mean_bits * static_cast<double>(bits.size())));
  for (;;) {
    const std::int64_t left = budget - std::accumulate(bits.begin(), bits.end(), std::int64_t{0});
    const int change = left > 0 ? 1 : -1;
    std::size_t most = bits.size();
    for (std::size_t c = 0; left != 0 && c < bits.size(); ++c) {
      if (bits[c] + change < limits.lowest || bits[c] + change > limits.highest) continue;
      if (most == bits.size() || change * (wanted[c] - bits[c]) > change * (wanted[most] - bits[most])) most = c;
    }
    if (most == bits.size()) return bits;
    bits[most] += change;
  }
}

std::vector<int> log2_sigma_bits(std::span<const double> deviations, double mean_bits, AllocationLimits limits) {
  CLEAVE_CHECK(!deviations.empty(), "bits are given to at least one channel");
  std::vector<double> logarithms;
  for (const double sigma : deviations) logarithms.push_back(sigma > 0 ? std::log2(sigma) : kDead);
  const double budget = std::floor(mean_bits * static_cast<double>(deviations.size()));
  double low = limits.lowest - *std::max_element(logarithms.begin(), logarithms.end());
  double high = limits.highest - *std::min_element(logarithms.begin(), logarithms.end());
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (low + high);
    const std::vector<double> bits = filled_to(logarithms, middle, limits);
    (std::accumulate(bits.begin(), bits.end(), 0.0) < budget ? low : high) = middle;
  }
  const std::vector<double> wanted = filled_to(logarithms, high, limits);
  std::vector<int> bits;
  std::vector<std::size_t> order(wanted.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (const double width : wanted) bits.push_back(static_cast<int>(std::floor(width)));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return wanted[a] - bits[a] > wanted[b] - bits[b]; });
  double left = budget - std::accumulate(bits.begin(), bits.end(), 0.0);
  for (const std::size_t c : order) {
    if (left < 1 || bits[c] >= limits.highest) continue;
    ++bits[c];
    left -= 1;
  }
  return bits;
}

std::vector<int> greedy_bits(const std::vector<std::vector<double>>& errors, double mean_bits,
                             AllocationLimits limits) {
  const auto widths = static_cast<std::size_t>(limits.highest - limits.lowest + 1);
  struct Gain {
    double value;
    std::size_t channel;
    bool operator<(const Gain& other) const {
      return value != other.value ? value < other.value : channel > other.channel;
    }
  };
  std::vector<int> bits(errors.size(), limits.lowest);
  std::priority_queue<Gain> gains;
  const auto offer = [&](std::size_t c) {
    const auto at = static_cast<std::size_t>(bits[c] - limits.lowest);
    if (at + 1 < widths) gains.push({errors[c][at] - errors[c][at + 1], c});
  };
  for (std::size_t c = 0; c < errors.size(); ++c) {
    CLEAVE_CHECK(errors[c].size() == widths, "one error per width");
    offer(c);
  }
  auto left = static_cast<std::int64_t>(std::floor(mean_bits * static_cast<double>(errors.size()))) -
              static_cast<std::int64_t>(errors.size()) * limits.lowest;
  for (; left > 0 && !gains.empty(); --left) {
    const std::size_t c = gains.top().channel;
    gains.pop();
    ++bits[c];
    offer(c);
  }
  return bits;
}

}  // namespace cleave::quant
