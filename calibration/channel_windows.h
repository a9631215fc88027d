#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "calibration/row_summary.h"
#include "quant/histogram.h"

namespace cleave::calibration {

/// Small tables in front of the histograms of a tensor's channels. A network has some ten thousand channels, whose
/// histograms do not fit in a cache; here each channel has 16-bit counts for 16 octaves around what it holds (1 KiB),
/// and what falls outside goes to its histogram at once. The sum of both is exact.
class ChannelWindows {
 public:
  explicit ChannelWindows(std::size_t channels);

  /// Counts finite values, at most 65535 at once, that `seen` summarizes. `histogram` is the channel's, shift 19.
  void add(std::size_t channel, std::span<const float> values, const RowSummary& seen,
           quant::FloatHistogram& histogram);
  /// Moves the channel's counts into its histogram.
  void flush(std::size_t channel, quant::FloatHistogram& histogram);

 private:
  struct Window {
    std::uint32_t first = 0;    ///< magnitude bin of slot 0; 0: not placed yet
    std::uint32_t pending = 0;  ///< values since the last flush: no slot holds more
    std::uint64_t zeros = 0;
  };
  std::uint32_t count(std::size_t channel, std::span<const float> values);
  std::uint32_t add_outside(const Window& window, std::span<const float> values, quant::FloatHistogram& histogram);

  std::vector<Window> windows_;
  std::vector<std::uint16_t> slots_;
};

}  // namespace cleave::calibration
