#pragma once

#include <cstdint>
#include <span>

#include "quant/calibration_table.h"

namespace cleave::calibration {

/// Extremes of the bit patterns of a run of float32 values; -0 is taken as +0.
struct RowSummary {
  std::int32_t lowest = INT32_MAX;              ///< smallest value, as a pattern that orders like the number
  std::int32_t highest = INT32_MIN;             ///< largest value, likewise
  std::int32_t smallest_magnitude = INT32_MAX;  ///< pattern of the smallest |x| that is not 0
  std::int32_t largest_magnitude = 0;           ///< pattern of the largest |x|, of a NaN or infinity if there is one
  std::uint32_t zeros = 0;

  bool finite() const { return largest_magnitude < 0x7F800000; }
  void merge(const RowSummary& other);
};

RowSummary summarize(std::span<const float> values);

/// min, max, count and zeros of `count` finite values.
quant::ValueCounts to_counts(const RowSummary& summary, std::size_t count);

}  // namespace cleave::calibration
