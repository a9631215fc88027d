#include "calibration/statistics.h"

#include <limits>
#include <utility>

#include "core/check.h"
#include "core/fingerprint.h"

namespace cleave::calibration {

namespace {

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

PreActivations pre_activations(const graph::Graph& graph) {
  PreActivations found;
  for (const graph::Unit& unit : graph.units()) {
    const graph::Node& last = graph.node(unit.nodes.back());
    if (unit.nodes.size() < 2 || (last.op != "Relu" && last.op != "Clip")) continue;
    const graph::TensorId made = last.outputs[0], read = last.inputs[0];
    const bool only = unit.outputs.size() == 1 && unit.outputs[0] == made;
    if (only && is_observed(graph, made) && is_observed(graph, read)) found[made] = read;
  }
  return found;
}

quant::TensorStatistics empty_statistics(const Shape& shape) {
  quant::TensorStatistics statistics;
  const bool per_channel = shape.size() >= 2 && shape[1] <= kMaxChannels;
  if (per_channel) statistics.channels.resize(static_cast<std::size_t>(shape[1]));
  return statistics;
}

StatisticsObserver::StatisticsObserver(const graph::Graph& graph, std::span<const graph::TensorId> taps,
                                       HistogramValues histogram_values, const PreActivations& before)
    : histogram_values_(histogram_values), tap_count_(taps.size()), tap_of_(graph.tensor_count(), SIZE_MAX) {
  for (const graph::TensorId id : taps) add_tap(graph, id, graph.tensor(id).shape);
  for (const auto& [made, read] : before) {
    const std::size_t tap = tap_of_.at(graph::index(made));
    CLEAVE_CHECK(tap < tap_count_, "what an activation makes is tapped");
    taps_[tap].before = taps_.size();
    add_tap(graph, read, {});
  }
}

/// channels_of: the shape that decides about channels.
void StatisticsObserver::add_tap(const graph::Graph& graph, graph::TensorId id, const Shape& channels_of) {
  tap_of_[graph::index(id)] = taps_.size();
  observed_.push_back(id);
  const std::string& name = graph.tensor(id).name;
  quant::TensorStatistics empty = empty_statistics(channels_of);
  ChannelWindows windows(empty.channels.size());
  ValueCounter counter(empty.channels.size());
  taps_.push_back(
      {name, {}, stable_hash(name), channels_of, std::move(empty), std::move(counter), std::move(windows), {}});
}

void StatisticsObserver::observe(const exec::ActivationView& activation) {
  const std::size_t at = tap_of_.at(graph::index(activation.tensor));
  CLEAVE_CHECK(at < taps_.size(), "only tapped tensors are observed");
  Tap& tap = taps_[at];
  const std::int64_t elements = element_count(activation.shape);
  CLEAVE_CHECK(elements < (std::int64_t{1} << 32), "flat counts of one observation fit in 32 bits");
  ValuesView values{activation.data, Extent::of(activation.shape), activation.channel_block};
  if (tap.statistics.channels.empty() && values.block == 1) values.extent = {1, 1, elements};
  const quant::ValueCounts counts = count(values, tap);
  tap.statistics.counts.merge(counts);
  if (counts.finite() > 0) tap.statistics.image_ranges.add(counts.min, counts.max);
}

quant::ValueCounts StatisticsObserver::count(const ValuesView& values, Tap& tap) {
  if (histogram_values_ == HistogramValues::kAll) {
    exec::simd::Tail none{std::numeric_limits<float>::infinity(), nullptr, 0};
    filler_.add(values, tap.statistics, tap.windows);
    return tap.counter.add(values, none);
  }
  exec::simd::Tail tail = tail_of(values, tap.sample.take(values, image_seed_ ^ tap.seed));
  const quant::ValueCounts counts = tap.counter.add(values, tail);
  tap.sample.settle(counts, {tail.values, static_cast<std::size_t>(tail.count)});
  if (tap.sample.full()) tap.sample.move_into(tap.statistics, tap.windows, filler_);
  return counts;
}

exec::simd::Tail StatisticsObserver::tail_of(const ValuesView& values, float threshold) {
  constexpr std::int64_t kMore = 16;
  const std::int64_t wanted = values.extent.positions() * values.extent.channels + kMore;
  if (wanted > tail_room_) {
    tail_ = std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(wanted));
    tail_room_ = wanted;
  }
  return {threshold, tail_.get(), 0};
}

/// What a tap has seen; it starts anew.
quant::TensorStatistics StatisticsObserver::take(Tap& tap) {
  tap.sample.move_into(tap.statistics, tap.windows, filler_);
  tap.counter.move_into(tap.statistics.channels);
  for (std::size_t c = 0; c < tap.statistics.channels.size(); ++c) {
    tap.windows.flush(c, tap.statistics.channels[c].histogram);
  }
  return std::exchange(tap.statistics, empty_statistics(tap.shape));
}

void StatisticsObserver::move_into(std::map<std::string, quant::TensorStatistics>& tensors) {
  for (std::size_t i = 0; i < tap_count_; ++i) {
    quant::TensorStatistics seen = take(taps_[i]);
    if (taps_[i].before) {
      quant::TensorStatistics before = take(taps_[*taps_[i].before]);
      seen.before = quant::PreActivation{before.counts, std::move(before.histogram)};
    }
    const auto [place, made] = tensors.try_emplace(taps_[i].name);
    if (made) {
      place->second = std::move(seen);
    } else {
      place->second.merge(seen);
    }
  }
}

}  // namespace cleave::calibration
