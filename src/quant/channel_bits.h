#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "quant/bits.h"

namespace cleave::quant {

/// How the bits of one weight tensor are shared among its channels, at a given mean.
enum class BitRule { kUniform, kAciq, kLog2, kGreedy };

/// The ordered table of rules: name as on the command line, one line for people.
struct BitRuleRow {
  BitRule rule;
  const char* name;
  const char* what;
};
std::span<const BitRuleRow> bit_rules();
/// Throws Error(kUsage) with the list and "did you mean".
BitRule bit_rule_from_name(const std::string& name);

/// Bits of each slice along `axis`, 2 to 8, with the mean `bits`: what the tensor takes packed is the same by every
/// rule.
///
///     aciq    aciq_bits_within, sigma the channel's standard deviation
///     log2    log2_sigma_bits
///     greedy  greedy_bits on the errors of the exact MSE-optimal steps: seven step searches per channel
///
/// bits 2..8. Throws Error(kInvalidInput) for a weight that is not finite.
std::vector<Bits> allocate_bits(const Tensor& weights, int axis, Bits bits, BitRule rule);

}  // namespace cleave::quant
