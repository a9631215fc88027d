#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "calibration/channel_windows.h"
#include "exec/session.h"
#include "graph/graph.h"
#include "quant/calibration_table.h"

namespace cleave::calibration {

/// Tensors with more channels have no statistics per channel: a flattened feature map is no set of channels.
inline constexpr std::int64_t kMaxChannels = 4096;

/// What calibration looks at: network inputs, then unit outputs in schedule order; float32 only, constants left out.
std::vector<graph::TensorId> calibration_taps(const graph::Graph& graph);

/// Statistics of a tensor of this shape before anything was seen: one entry per channel (axis 1) when the rank is at
/// least 2 and there are 1 to kMaxChannels channels.
quant::TensorStatistics empty_statistics(const Shape& shape);

/// Counts values where they lie: one pass, no copy of the tensor, any layout that ActivationView describes.
///
/// NaN and infinities are counted and excluded from everything else; -0 counts as +0. Integer counts and comparisons
/// only, so that any order of observations and merges gives the same statistics.
/// Cost: about 3 ns per value. Memory: 1 KiB and the populated pages of a histogram per channel, whatever the
/// number of observations.
class StatisticsObserver : public exec::ActivationObserver {
 public:
  StatisticsObserver(const graph::Graph& graph, std::span<const graph::TensorId> taps);
  ~StatisticsObserver() override;

  /// The tensor must be one of the taps; its shape decides about channels.
  void observe(const exec::ActivationView& activation) override;

  /// Merges everything seen into `tensors` (by tensor name, made when absent) and starts anew.
  void move_into(std::map<std::string, quant::TensorStatistics>& tensors);

 private:
  struct Tap {
    std::string name;
    Shape shape;
    quant::TensorStatistics statistics;
    ChannelWindows windows;
  };
  class Counter;
  std::vector<Tap> taps_;
  std::vector<std::size_t> tap_of_;  ///< by tensor id
  std::unique_ptr<Counter> counter_;
};

}  // namespace cleave::calibration
