#include "calibration/histogram_filler.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "calibration/row_summary.h"

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

  /// Each value `times` times.
  void add(std::span<const float> values, std::uint32_t times) {
    for (const float value : values) slots_[pattern_of(value) >> kShift] += times;
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

}  // namespace

Extent Extent::of(const Shape& shape) {
  Extent extent;
  if (!shape.empty()) extent.batch = shape[0];
  if (shape.size() > 1) extent.channels = shape[1];
  for (std::size_t i = 2; i < shape.size(); ++i) extent.spatial *= shape[i];
  return extent;
}

struct HistogramFiller::Impl {
  /// Calls one(values, summary) for all finite values, in pieces.
  template <typename One>
  void for_finite(std::span<const float> row, const One& one) {
    while (!row.empty()) {
      std::span<const float> chunk = row.first(std::min(kChunk, row.size()));
      row = row.subspan(chunk.size());
      RowSummary summary = summarize(chunk);
      if (!summary.finite()) {
        chunk = only([](float x) { return std::isfinite(x); }, chunk);
        summary = summarize(chunk);
      }
      one(chunk, summary);
    }
  }

  void add(std::span<const float> chunk, const RowSummary& summary) {
    bins.add(chunk);
    seen.merge(summary);
  }

  /// The values that `wanted` holds for, at most kChunk.
  template <typename Wanted>
  std::span<const float> only(const Wanted& wanted, std::span<const float> chunk) {
    std::size_t count = 0;
    for (const float value : chunk) {
      chosen[count] = value;
      count += wanted(value) ? 1 : 0;
    }
    return {chosen.data(), count};
  }

  FlatCounts bins;
  RowSummary seen;
  Tile tile;
  std::array<float, kChunk> chosen{};
};

HistogramFiller::HistogramFiller() : impl_(std::make_unique<Impl>()) {}
HistogramFiller::~HistogramFiller() = default;

namespace {

template <typename Row>
void visit(const ValuesView& values, Tile& tile, const Row& row) {
  if (values.block > 1) {
    visit_blocked(values.data, values.extent, values.block, tile, row);
  } else {
    visit_plain(values.data, values.extent, row);
  }
}

}  // namespace

void HistogramFiller::add(const ValuesView& values, quant::TensorStatistics& statistics, ChannelWindows& windows) {
  visit(values, impl_->tile, [&](std::span<const float> row, std::int64_t channel) {
    const auto c = static_cast<std::size_t>(channel);
    impl_->for_finite(row, [&](std::span<const float> chunk, const RowSummary& summary) {
      impl_->add(chunk, summary);
      if (!statistics.channels.empty()) windows.add(c, chunk, summary, statistics.channels[c].histogram);
    });
  });
  empty_into(statistics.histogram);
}

void HistogramFiller::add_to_channels(const ValuesView& values, quant::TensorStatistics& statistics,
                                      ChannelWindows& windows) {
  if (statistics.channels.empty()) return;
  visit(values, impl_->tile, [&](std::span<const float> row, std::int64_t channel) {
    const auto c = static_cast<std::size_t>(channel);
    impl_->for_finite(row, [&](std::span<const float> chunk, const RowSummary& summary) {
      windows.add(c, chunk, summary, statistics.channels[c].histogram);
    });
  });
}

void HistogramFiller::add_finite(std::span<const float> values) {
  impl_->for_finite(values,
                    [&](std::span<const float> chunk, const RowSummary& summary) { impl_->add(chunk, summary); });
}

void HistogramFiller::add_as(std::span<const float> values, float threshold, std::uint64_t total) {
  const auto counts = [threshold](float x) { return x != 0 && std::abs(x) <= threshold && std::isfinite(x); };
  const auto count = static_cast<std::uint64_t>(std::count_if(values.begin(), values.end(), counts));
  if (count == 0) return;
  std::uint64_t once_more = total % count;
  for (; !values.empty(); values = values.subspan(std::min(kChunk, values.size()))) {
    const std::span<const float> chosen = impl_->only(counts, values.first(std::min(kChunk, values.size())));
    const auto first = static_cast<std::size_t>(std::min<std::uint64_t>(once_more, chosen.size()));
    once_more -= first;
    impl_->bins.add(chosen.first(first), static_cast<std::uint32_t>(total / count + 1));
    impl_->bins.add(chosen.subspan(first), static_cast<std::uint32_t>(total / count));
    impl_->seen.merge(summarize(chosen));
  }
}

void HistogramFiller::empty_into(quant::FloatHistogram& histogram) {
  impl_->bins.empty_into(histogram, impl_->seen);
  impl_->seen = {};
}

}  // namespace cleave::calibration
