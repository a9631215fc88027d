#include "calibration/row_summary.h"

#include <algorithm>
#include <bit>

namespace cleave::calibration {

namespace {

constexpr std::int32_t kMagnitudeMask = 0x7FFFFFFF;

}  // namespace

void RowSummary::merge(const RowSummary& other) {
  smallest_magnitude = std::min(smallest_magnitude, other.smallest_magnitude);
  largest_magnitude = std::max(largest_magnitude, other.largest_magnitude);
  zeros += other.zeros;
}

// Integers and local variables throughout: the compiler vectorises the loop without leave to reorder float comparisons.
RowSummary summarize(std::span<const float> values) {
  std::int32_t smallest = INT32_MAX;
  std::int32_t largest = 0;
  std::int32_t zeros = 0;
  for (const float value : values) {
    const auto raw = std::bit_cast<std::int32_t>(value);
    const std::int32_t magnitude = raw & kMagnitudeMask;
    const std::int32_t if_zero = -static_cast<std::int32_t>(magnitude == 0);  // all ones for 0 and -0
    smallest = std::min(smallest, magnitude | (if_zero & kMagnitudeMask));
    largest = std::max(largest, magnitude);
    zeros -= if_zero;
  }
  return {smallest, largest, static_cast<std::uint32_t>(zeros)};
}

}  // namespace cleave::calibration
