#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "calibration/histogram_filler.h"
#include "exec/kernels/simd/kernels.h"
#include "quant/calibration_table.h"

namespace cleave::calibration {

/// Counts all values of a tensor's channels, in one pass at the speed of memory: least and greatest, zeros, NaN,
/// infinities.
class ValueCounter {
 public:
  /// channels  0: the values of all channels are counted together only.
  explicit ValueCounter(std::size_t channels) : channels_(channels) {}

  /// Returns the counters of these values, all channels together; each channel's are kept. Fills the tail on the way.
  quant::ValueCounts add(const ValuesView& values, exec::simd::Tail& tail);
  /// Merges each channel's counters into the statistics of that channel and starts anew.
  void move_into(std::span<quant::ChannelStatistics> channels);

 private:
  /// Entries per channel.
  struct Bounds {
    std::vector<float> low, high, zero_or_nan;
    std::vector<std::int32_t> zeros;
    void resize(std::size_t channels);
  };
  quant::ValueCounts count_sample(const float* data, const ValuesView& values, exec::simd::Tail& tail);
  quant::ValueCounts take_odd(const float* data, const ValuesView& values);
  void keep();

  std::size_t channels_;
  Bounds seen_;                    ///< of the sample looked at
  std::vector<float> low_, high_;  ///< of all so far
  std::vector<std::uint64_t> zeros_;
  std::uint64_t values_ = 0;             ///< per channel
  std::vector<quant::ValueCounts> odd_;  ///< what came with NaN or infinities, without its count; mostly empty
};

}  // namespace cleave::calibration
