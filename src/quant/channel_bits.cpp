#include "quant/channel_bits.h"

#include <array>
#include <cmath>

#include "core/check.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/text.h"
#include "quant/bit_allocation.h"
#include "quant/channel_values.h"
#include "quant/clip.h"

namespace cleave::quant {

namespace {

constexpr AllocationLimits kLimits{2, 8};

constexpr std::array<BitRuleRow, 4> kRules = {{
    {BitRule::kUniform, "uniform", "all channels have the same bits"},
    {BitRule::kAciq, "aciq", "bins in proportion to sigma^(2/3) (ACIQ)"},
    {BitRule::kLog2, "log2", "a bit per doubled sigma (reverse water-filling)"},
    {BitRule::kGreedy, "greedy", "each bit where it takes most off the measured error"},
}};

/// The total squared error of a channel at every width.
std::vector<double> error_curve(const WeightedValues& values) {
  std::vector<double> errors;
  for (int bits = kLimits.lowest; bits <= kLimits.highest; ++bits) {
    errors.push_back(mse_optimal_step(values, WeightGrid::of(Bits{bits})).mse * values.total);
  }
  return errors;
}

/// of(values) for each channel.
template <typename Of>
auto per_channel(const Tensor& weights, int axis, const Of& of) {
  const ChannelLayout layout = ChannelLayout::of(weights.shape(), axis);
  std::vector<decltype(of(WeightedValues()))> results(static_cast<std::size_t>(layout.channels));
  parallel_for(layout.channels, 0, [&](std::int64_t channel) {
    results[static_cast<std::size_t>(channel)] = of(channel_values(weights, layout, channel));
  });
  return results;
}

std::vector<int> bits_by(const Tensor& weights, int axis, double mean, BitRule rule) {
  if (rule == BitRule::kGreedy) return greedy_bits(per_channel(weights, axis, error_curve), mean, kLimits);
  const auto deviations =
      per_channel(weights, axis, [](const WeightedValues& values) { return std::sqrt(values.variance()); });
  return rule == BitRule::kAciq ? aciq_bits_within(deviations, mean, kLimits)
                                : log2_sigma_bits(deviations, mean, kLimits);
}

}  // namespace

std::span<const BitRuleRow> bit_rules() {
  return kRules;
}

BitRule bit_rule_from_name(const std::string& name) {
  std::vector<std::string> names;
  for (const BitRuleRow& row : kRules) {
    if (name == row.name) return row.rule;
    names.emplace_back(row.name);
  }
  throw Error(ErrorKind::kUsage, "unknown rule '" + name + "' for the bits of channels" + did_you_mean(name, names),
              "One of: " + join_text(names, ", ") + ".");
}

std::vector<Bits> allocate_bits(const Tensor& weights, int axis, Bits bits, BitRule rule) {
  CLEAVE_CHECK(bits.count >= kLimits.lowest && bits.count <= kLimits.highest, "weights have 2 to 8 bits");
  const auto channels = static_cast<std::size_t>(ChannelLayout::of(weights.shape(), axis).channels);
  std::vector<Bits> allocated(channels, bits);
  if (rule == BitRule::kUniform || channels == 0) return allocated;
  const std::vector<int> counts = bits_by(weights, axis, bits.count, rule);
  for (std::size_t c = 0; c < channels; ++c) allocated[c] = Bits{counts[c]};
  return allocated;
}

}  // namespace cleave::quant
