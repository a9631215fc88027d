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

// Integers throughout: the compiler vectorises the loop without leave to reorder float comparisons.
RowSummary summarize(std::span<const float> values) {
  RowSummary s;
  for (const float value : values) {
    const auto raw = std::bit_cast<std::int32_t>(value);
    const std::int32_t magnitude = raw & kMagnitudeMask;
    const std::int32_t pattern = magnitude == 0 ? 0 : raw;
    s.lowest = std::min(s.lowest, ordered(pattern));
    s.highest = std::max(s.highest, ordered(pattern));
    s.smallest_magnitude = std::min(s.smallest_magnitude, magnitude == 0 ? INT32_MAX : magnitude);
    s.largest_magnitude = std::max(s.largest_magnitude, magnitude);
    s.zeros += magnitude == 0 ? 1U : 0U;
  }
  return s;
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
