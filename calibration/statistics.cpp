#include "calibration/statistics.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "calibration/channel_windows.h"
#include "calibration/row_summary.h"
#include "core/check.h"

namespace cleave::calibration {

namespace {

constexpr int kShift = 17;
constexpr std::uint32_t kSignBit = 0x80000000U;
constexpr std::size_t kChunk = 4096;  // values per pass: stay in the first-level cache between the two loops
constexpr std::int64_t kTileChannels = 16;
constexpr std::int64_t kTileSpatial = 1024;
constexpr std::int64_t kTilePitch = kTileSpatial + 16;  // rows a power of two apart would share few cache sets

std::uint32_t pattern_of(float value) {
  const auto pattern = std::bit_cast<std::uint32_t>(value);
  return pattern == kSignBit ? 0 : pattern;
}

/// Counts by the top bits of the pattern in a flat table; emptied into a histogram of the same shift.
/// Two tables take turns, so that a run of equal values (zeros after ReLU) does not wait for its own last store.
class FlatCounts {
 public:
  void add(std::span<const float> finite_values) {
    std::uint32_t* even = slots_.data();
    std::uint32_t* odd = even + slots_.size() / 2;
    std::size_t i = 0;
    for (; i + 1 < finite_values.size(); i += 2) {
      ++even[pattern_of(finite_values[i]) >> kShift];
      ++odd[pattern_of(finite_values[i + 1]) >> kShift];
    }
    if (i < finite_values.size()) ++even[pattern_of(finite_values[i]) >> kShift];
  }

  /// `seen` covers every value added since the last call.
  void empty_into(quant::FloatHistogram& histogram, const RowSummary& seen) {
    if (seen.zeros > 0) move_slot(0, histogram);
    const auto first = static_cast<std::uint32_t>(seen.smallest_magnitude) >> kShift;
    const auto last = static_cast<std::uint32_t>(seen.largest_magnitude) >> kShift;
    for (const std::uint32_t sign : {0U, kSignBit >> kShift}) {
      for (std::uint32_t i = first; i <= last; ++i) move_slot(sign + i, histogram);
    }
  }

 private:
  void move_slot(std::uint32_t index, quant::FloatHistogram& histogram) {
    std::uint32_t& even = slots_[index];
    std::uint32_t& odd = slots_[slots_.size() / 2 + index];
    const std::uint64_t count = std::uint64_t{even} + odd;
    even = odd = 0;
    // The lowest bit keeps a negative bin beside zero from reading as -0, which counts as +0.
    if (count > 0) histogram.add(std::bit_cast<float>(index << kShift | 1U), count);
  }

  std::vector<std::uint32_t> slots_ = std::vector<std::uint32_t>(std::size_t{2} << (32 - kShift));
};

/// Sizes of a tensor as the statistics see it: batch, channels, and what lies behind.
struct Extent {
  std::int64_t batch = 1;
  std::int64_t channels = 1;
  std::int64_t spatial = 1;
};

Extent extent_of(const Shape& shape) {
  Extent extent;
  if (!shape.empty()) extent.batch = shape[0];
  if (shape.size() > 1) extent.channels = shape[1];
  for (std::size_t i = 2; i < shape.size(); ++i) extent.spatial *= shape[i];
  return extent;
}

}  // namespace

/// Adds rows of values, each of one channel, to a tensor's statistics. Begin and end enclose one observation.
class StatisticsObserver::Counter {
 public:
  void begin(Tap& tap) {
    tap_ = &tap;
    seen_ = {};
  }

  void end() { tensor_bins_.empty_into(tap_->statistics.histogram, seen_); }

  void add_row(std::span<const float> row, std::int64_t channel) {
    const auto at = static_cast<std::size_t>(channel);
    quant::TensorStatistics& statistics = tap_->statistics;
    quant::ValueCounts counts;
    while (!row.empty()) {
      const std::span<const float> chunk = row.first(std::min(kChunk, row.size()));
      row = row.subspan(chunk.size());
      RowSummary summary;
      const std::span<const float> finite = add_chunk(chunk, counts, summary);
      tensor_bins_.add(finite);
      if (!statistics.channels.empty()) tap_->windows.add(at, finite, summary, statistics.channels[at].histogram);
      seen_.merge(summary);
    }
    statistics.counts.merge(counts);
    if (!statistics.channels.empty()) statistics.channels[at].counts.merge(counts);
  }

 private:
  /// Counts the chunk and returns its finite values.
  std::span<const float> add_chunk(std::span<const float> chunk, quant::ValueCounts& counts, RowSummary& summary) {
    summary = summarize(chunk);
    if (!summary.finite()) {
      chunk = without_nonfinite(chunk, counts);
      summary = summarize(chunk);
    }
    counts.merge(to_counts(summary, chunk.size()));
    return chunk;
  }

  std::span<const float> without_nonfinite(std::span<const float> chunk, quant::ValueCounts& counts) {
    quant::ValueCounts left_out;
    std::size_t kept = 0;
    for (const float value : chunk) {
      if (std::isnan(value)) ++left_out.nans;
      if (std::isinf(value)) ++left_out.infs;
      if (std::isfinite(value)) finite_[kept++] = value;
    }
    left_out.count = left_out.nans + left_out.infs;
    counts.merge(left_out);
    return {finite_.data(), kept};
  }

  Tap* tap_ = nullptr;
  RowSummary seen_;
  FlatCounts tensor_bins_;
  std::array<float, kChunk> finite_{};
};

namespace {

/// Calls row(values, channel) for plain row-major data.
template <typename Row>
void visit_plain(const float* data, const Extent& extent, const Row& row) {
  const auto spatial = static_cast<std::size_t>(extent.spatial);
  for (std::int64_t n = 0; n < extent.batch; ++n) {
    for (std::int64_t c = 0; c < extent.channels; ++c, data += spatial) row(std::span(data, spatial), c);
  }
}

/// Up to 16 channels times up to 1024 places, turned so that a channel's values lie side by side.
struct Tile {
  std::int64_t channels = 0;
  std::int64_t places = 0;
  std::array<float, kTileChannels * kTilePitch> values;

  void load(const float* data, std::int64_t stride) {
    for (std::int64_t s = 0; s < places; ++s) {
      for (std::int64_t c = 0; c < channels; ++c)
        values[static_cast<std::size_t>(c * kTilePitch + s)] = data[s * stride + c];
    }
  }
  std::span<const float> row(std::int64_t c) const {
    return {values.data() + c * kTilePitch, static_cast<std::size_t>(places)};
  }
};

/// The same for [N][ceil(C/B)][spatial][B]; padded channels are left out.
template <typename Row>
void visit_blocked(const float* data, const Extent& extent, std::int64_t block, Tile& tile, const Row& row) {
  const std::int64_t blocks = (extent.channels + block - 1) / block;
  for (std::int64_t i = 0; i < extent.batch * blocks; ++i, data += extent.spatial * block) {
    const std::int64_t first = i % blocks * block;
    const std::int64_t channels = std::min(block, extent.channels - first);
    for (std::int64_t c = 0; c < channels; c += kTileChannels) {
      tile.channels = std::min(kTileChannels, channels - c);
      for (std::int64_t s = 0; s < extent.spatial; s += kTileSpatial) {
        tile.places = std::min(kTileSpatial, extent.spatial - s);
        tile.load(data + s * block + c, block);
        for (std::int64_t k = 0; k < tile.channels; ++k) row(tile.row(k), first + c + k);
      }
    }
  }
}

bool is_observed(const graph::Graph& graph, graph::TensorId id) {
  return graph.tensor(id).dtype == DType::kFloat32 && graph.constant(id) == nullptr;
}

}  // namespace

std::vector<graph::TensorId> calibration_taps(const graph::Graph& graph) {
  std::vector<graph::TensorId> taps;
  for (const graph::TensorId id : graph.inputs()) {
    if (is_observed(graph, id)) taps.push_back(id);
  }
  for (const graph::Unit& unit : graph.units()) {
    for (const graph::TensorId id : unit.outputs) {
      if (is_observed(graph, id)) taps.push_back(id);
    }
  }
  return taps;
}

quant::TensorStatistics empty_statistics(const Shape& shape) {
  quant::TensorStatistics statistics;
  const bool per_channel = shape.size() >= 2 && shape[1] <= kMaxChannels;
  if (per_channel) statistics.channels.resize(static_cast<std::size_t>(shape[1]));
  return statistics;
}

StatisticsObserver::StatisticsObserver(const graph::Graph& graph, std::span<const graph::TensorId> taps)
    : tap_of_(graph.tensor_count(), taps.size()), counter_(std::make_unique<Counter>()) {
  for (const graph::TensorId id : taps) {
    tap_of_[graph::index(id)] = taps_.size();
    const graph::TensorInfo& info = graph.tensor(id);
    quant::TensorStatistics empty = empty_statistics(info.shape);
    ChannelWindows windows(empty.channels.size());
    taps_.push_back({info.name, info.shape, std::move(empty), std::move(windows)});
  }
}

StatisticsObserver::~StatisticsObserver() = default;

void StatisticsObserver::observe(const exec::ActivationView& activation) {
  const std::size_t at = tap_of_.at(graph::index(activation.tensor));
  CLEAVE_CHECK(at < taps_.size(), "only tapped tensors are observed");
  const std::int64_t elements = element_count(activation.shape);
  CLEAVE_CHECK(elements < (std::int64_t{1} << 32), "flat counts of one observation fit in 32 bits");
  const Extent extent = extent_of(activation.shape);
  const auto row = [&](std::span<const float> values, std::int64_t channel) { counter_->add_row(values, channel); };
  counter_->begin(taps_[at]);
  if (activation.channel_block > 1) {
    visit_blocked(activation.data, extent, activation.channel_block, *std::make_unique<Tile>(), row);
  } else if (taps_[at].statistics.channels.empty()) {
    counter_->add_row({activation.data, static_cast<std::size_t>(elements)}, 0);
  } else {
    visit_plain(activation.data, extent, row);
  }
  counter_->end();
}

void StatisticsObserver::move_into(std::map<std::string, quant::TensorStatistics>& tensors) {
  for (Tap& tap : taps_) {
    for (std::size_t c = 0; c < tap.statistics.channels.size(); ++c) {
      tap.windows.flush(c, tap.statistics.channels[c].histogram);
    }
    quant::TensorStatistics seen = std::exchange(tap.statistics, empty_statistics(tap.shape));
    const auto [place, made] = tensors.try_emplace(tap.name);
    if (made) {
      place->second = std::move(seen);
    } else {
      place->second.merge(seen);
    }
  }
}

}  // namespace cleave::calibration
