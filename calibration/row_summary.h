#pragma once

#include <cstdint>
#include <span>

namespace cleave::calibration {

/// Extremes of the magnitudes in a run of float32 values, as bit patterns.
struct RowSummary {
  std::int32_t smallest_magnitude = INT32_MAX;  ///< pattern of the smallest |x| that is not 0
  std::int32_t largest_magnitude = 0;           ///< pattern of the largest |x|, of a NaN or infinity if there is one
  std::uint32_t zeros = 0;                      ///< of either sign

  bool finite() const { return largest_magnitude < 0x7F800000; }
  void merge(const RowSummary& other);
};

RowSummary summarize(std::span<const float> values);

}  // namespace cleave::calibration
