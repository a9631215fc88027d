#pragma once

#include <span>
#include <vector>

namespace cleave::quant {

/// Bits per channel of one tensor at a given mean. Widths lie in [lowest, highest].
struct AllocationLimits {
  int lowest = 2;
  int highest = 8;
};

/// ACIQ's rule: bins B_i ~ sigma_i^(2/3), summing to channels * 2^mean; bits = log2 B_i, rounded half to even. Rounding
/// moves the mean: the target is raised by half of what is missing until the mean is within 0.01 of `mean_bits`, in ten
/// rounds at most; the result is that of the last one. It spends a budget of bins, not of bits.
/// `deviations`: standard deviation per channel, positive or zero. Source: Banner et al., 2019, and their code.
std::vector<int> aciq_bits(std::span<const double> deviations, double mean_bits, AllocationLimits limits);

/// aciq_bits, then one bit at a time, where rounding took or gave most, until the bits add up to channels * mean_bits
/// (rounded down) or all channels are at a limit.
std::vector<int> aciq_bits_within(std::span<const double> deviations, double mean_bits, AllocationLimits limits);

/// Reverse water-filling for a budget of bits: M_i = c + log2 sigma_i, rounded down; what is left of the budget goes
/// to the largest remainders. The constant c is such that the bits within the limits add up to channels * mean_bits
/// (rounded down), or all channels are at a limit.
std::vector<int> log2_sigma_bits(std::span<const double> deviations, double mean_bits, AllocationLimits limits);

/// One bit at a time to the channel whose error falls most by it, from the lowest width on, until the bits add up to
/// channels * mean_bits (rounded down). Optimal where errors are convex in the bits.
///
/// errors[c][k]: error of channel c at limits.lowest + k bits.
std::vector<int> greedy_bits(const std::vector<std::vector<double>>& errors, double mean_bits, AllocationLimits limits);

}  // namespace cleave::quant
