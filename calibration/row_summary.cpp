#include "calibration/row_summary.h"

#include <algorithm>
#include <bit>

namespace cleave::calibration {

namespace {

constexpr std::int32_t kMagnitudeMask = 0x7FFFFFFF;

/// Negative numbers ascend with the magnitude as patterns: turning their magnitude bits over orders them. Self-inverse.
constexpr std::int32_t ordered(std::int32_t pattern) {
  return pattern ^ ((pattern >> 31) & kMagnitudeMask);
}

}  // namespace

void RowSummary::merge(const RowSummary& other) {
  lowest = std::min(lowest, other.lowest);
  highest = std::max(highest, other.highest);
  smallest_magnitude = std::min(smallest_magnitude, other.smallest_magnitude);
  largest_magnitude = std::max(largest_magnitude, other.largest_magnitude);
  zeros += other.zeros;
}

// Integers and local variables throughout: the compiler vectorises the loop without leave to reorder float comparisons.
RowSummary summarize(std::span<const float> values) {
  std::int32_t lowest = INT32_MAX;
  std::int32_t highest = INT32_MIN;
  std::int32_t smallest = INT32_MAX;
  std::int32_t largest = 0;
  std::int32_t zeros = 0;
  for (const float value : values) {
    const auto raw = std::bit_cast<std::int32_t>(value);
    const std::int32_t magnitude = raw & kMagnitudeMask;
    const std::int32_t if_zero = -static_cast<std::int32_t>(magnitude == 0);  // all ones for 0 and -0
    const std::int32_t rank = ordered(raw & ~if_zero);
    lowest = std::min(lowest, rank);
    highest = std::max(highest, rank);
    smallest = std::min(smallest, magnitude | (if_zero & kMagnitudeMask));
    largest = std::max(largest, magnitude);
    zeros -= if_zero;
  }
  return {lowest, highest, smallest, largest, static_cast<std::uint32_t>(zeros)};
}

quant::ValueCounts to_counts(const RowSummary& summary, std::size_t count) {
  quant::ValueCounts counts;
  if (count == 0) return counts;
  counts.min = std::bit_cast<float>(ordered(summary.lowest));
  counts.max = std::bit_cast<float>(ordered(summary.highest));
  counts.count = count;
  counts.zeros = summary.zeros;
  return counts;
}

}  // namespace cleave::calibration
