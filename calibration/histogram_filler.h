#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "calibration/channel_windows.h"
#include "core/tensor.h"
#include "quant/calibration_table.h"

namespace cleave::calibration {

/// Sizes of a tensor as the statistics see it: batch, channels (axis 1), and what lies behind.
struct Extent {
  std::int64_t batch = 1;
  std::int64_t channels = 1;
  std::int64_t spatial = 1;

  static Extent of(const Shape& shape);
  std::int64_t positions() const { return batch * spatial; }
};

/// Values of a tensor where they lie: [batch][ceil(channels / block)][spatial][block]; block 1 is plain row-major.
struct ValuesView {
  const float* data;
  Extent extent;
  std::int64_t block = 1;
};

/// Counts values into the histograms of a tensor and of its channels; NaN and infinities are passed over, -0 counts as
/// +0. About 3 ns per value. One per thread: it holds a table of every bin, some 256 KiB.
class HistogramFiller {
 public:
  HistogramFiller();
  ~HistogramFiller();

  /// Adds all values to statistics.histogram and, through `windows`, to the histograms of its channels if it has any.
  void add(const ValuesView& values, quant::TensorStatistics& statistics, ChannelWindows& windows);
  /// Adds all values to the histograms of the channels, if there are any.
  void add_to_channels(const ValuesView& values, quant::TensorStatistics& statistics, ChannelWindows& windows);

  /// Remembers finite values.
  void add_finite(std::span<const float> values);
  /// Remembers those of the values that are finite, not zero and not above the threshold in magnitude, as if there
  /// were `total` of them: each counts total / n times, the first ones once more to make up the total.
  void add_as(std::span<const float> values, float threshold, std::uint64_t total);
  /// Moves what is remembered, less than 2^32 values, into a histogram of a whole tensor.
  void empty_into(quant::FloatHistogram& histogram);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cleave::calibration
