#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calibration/channel_windows.h"
#include "calibration/histogram_filler.h"
#include "calibration/value_counter.h"
#include "calibration/value_sample.h"
#include "exec/session.h"
#include "graph/graph.h"
#include "quant/calibration_table.h"

namespace cleave::calibration {

/// Tensors with more channels have no statistics per channel: a flattened feature map is no set of channels.
inline constexpr std::int64_t kMaxChannels = 4096;

/// What calibration looks at: network inputs, then unit outputs in schedule order; float32 only, constants left out.
std::vector<graph::TensorId> calibration_taps(const graph::Graph& graph);

/// For the tensors that a unit's closing Relu or Clip makes: the tensor that it reads, inside the unit. float32 only.
using PreActivations = std::map<graph::TensorId, graph::TensorId>;
PreActivations pre_activations(const graph::Graph& graph);

/// Statistics of a tensor of this shape before anything was seen: one entry per channel (axis 1) when the rank is at
/// least 2 and there are 1 to kMaxChannels channels.
quant::TensorStatistics empty_statistics(const Shape& shape);

/// What histograms are made of. Counters, minima, maxima and ranges of images are of all values either way.
enum class HistogramValues {
  kAll,
  kSample,  ///< a part of each image's (ValueSample)
};

/// Counts values where they lie: no copy of the tensor, any layout that ActivationView describes.
///
/// NaN and infinities are counted and excluded from everything else; -0 counts as +0. Integer counts and comparisons
/// only, so that any order of observations and merges gives the same statistics.
/// Cost: one pass over the values at the speed of memory, and about 3 ns for each value that goes into a histogram.
/// Memory: 1 KiB and the populated pages of a histogram per channel, and 64 KiB or more per tensor for values that
/// wait to be counted together, whatever the number of observations.
class StatisticsObserver : public exec::ActivationObserver {
 public:
  /// before  of these tensors, which must be among the taps, the values before the activation are looked at too: they
  ///         are to be tapped as well (observed()).
  StatisticsObserver(const graph::Graph& graph, std::span<const graph::TensorId> taps,
                     HistogramValues histogram_values = HistogramValues::kSample, const PreActivations& before = {});

  /// All tensors that observe() takes: the taps, then those before an activation.
  const std::vector<graph::TensorId>& observed() const { return observed_; }

  /// What is observed from now on is of the image that `seed` stands for: the same positions for the same image,
  /// other ones for others.
  void begin_image(std::uint64_t seed) { image_seed_ = seed; }

  /// The tensor must be one of observed(); its shape decides about channels.
  void observe(const exec::ActivationView& activation) override;

  /// Merges everything seen into `tensors` (by tensor name, made when absent) and starts anew.
  void move_into(std::map<std::string, quant::TensorStatistics>& tensors);

 private:
  struct Tap {
    std::string name;
    std::optional<std::size_t> before;  ///< the entry that looks at the values before the activation
    std::uint64_t seed;
    Shape shape;
    quant::TensorStatistics statistics;
    ValueCounter counter;
    ChannelWindows windows;
    ValueSample sample;
  };
  void add_tap(const graph::Graph& graph, graph::TensorId id, const Shape& channels_of);
  quant::TensorStatistics take(Tap& tap);
  quant::ValueCounts count(const ValuesView& values, Tap& tap);
  exec::simd::Tail tail_of(const ValuesView& values, float threshold);

  HistogramValues histogram_values_;
  std::uint64_t image_seed_ = 0;
  std::vector<graph::TensorId> observed_;
  std::size_t tap_count_;  ///< the first entries; behind them those before an activation
  std::vector<Tap> taps_;
  std::vector<std::size_t> tap_of_;  ///< by tensor id
  HistogramFiller filler_;
  std::unique_ptr<float[]> tail_;  ///< room for the tail of one tensor
  std::int64_t tail_room_ = 0;
};

}  // namespace cleave::calibration
