#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "calibration/channel_windows.h"
#include "calibration/histogram_filler.h"
#include "quant/calibration_table.h"

namespace cleave::calibration {

/// How many positions of a tensor, all channels each, stand for it in histograms: all of at most 512 values, else a
/// thirty-second part of the values, but at least 256 and at most 1024 of them, and at least four positions.
std::int64_t sampled_positions(const Extent& extent);

/// A tensor's histogram from part of its values, image by image, without losing what decides about clips:
///
///   zeros      all of them, from the counters
///   the tail   every value beyond a threshold that few values pass, found while values are counted; and the least and
///              the greatest value
///   the rest   one position out of each of equal stretches, picked at random from the image's seed; the values there
///              count as many times as makes the image's total right
///
/// The threshold is the fourth largest among the greatest magnitudes of sixteen parts of the sample. Histograms of
/// channels hold the sample alone, each value once.
/// What an image adds depends on the image alone. Values wait here until there are enough to be counted together.
class ValueSample {
 public:
  /// Copies the sample of an image and returns the threshold of its tail; +infinity where all values are taken.
  float take(const ValuesView& values, std::uint64_t seed);
  /// Completes the image taken last. counts: of all its values; tail: those beyond the threshold.
  void settle(const quant::ValueCounts& counts, std::span<const float> tail);
  /// There is enough to be counted, or so much that counting must not wait.
  bool full() const;
  /// Counts what waits into the histograms.
  void move_into(quant::TensorStatistics& statistics, ChannelWindows& windows, HistogramFiller& filler);

 private:
  struct Image {
    std::size_t values;  ///< of the sample
    float threshold;
    std::uint64_t others;  ///< values that are finite, not zero and not in the tail
  };
  std::int64_t channels_ = 1;
  std::vector<float> values_;  ///< [positions][channels], one image after the other
  std::vector<float> tail_;
  std::vector<Image> images_;
  std::uint64_t zeros_ = 0;
  std::uint64_t others_ = 0;
};

}  // namespace cleave::calibration
