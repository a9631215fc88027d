#include "cli/unit_timing.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "cost/unit_work.h"
#include "exec/noise.h"

namespace cleave::cli {

namespace {

constexpr int kWarmup = 3;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Times {
  double run_s = 0;            ///< of whole runs
  std::vector<double> unit_s;  ///< of each unit of the network, in schedule order
};

/// Medians; runs with and without a clock inside take turns.
Times measure(exec::Session& session, const std::vector<Tensor>& inputs, std::int64_t iterations) {
  std::vector<double> runs;
  std::vector<std::vector<double>> units(session.graph().units().size());
  std::vector<exec::UnitTime> times;
  for (std::int64_t i = 0; i < iterations; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    session.run(inputs);
    runs.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    session.run_timed(inputs, times);
    for (std::size_t u = 0; u < times.size(); ++u) units[u].push_back(times[u].seconds);
  }
  Times medians{median(std::move(runs)), {}};
  for (auto& list : units) medians.unit_s.push_back(median(std::move(list)));
  return medians;
}

/// Seconds by unit of `graph`.
std::vector<double> seconds_of_units(const graph::Graph& graph, const graph::Graph& network,
                                     const std::vector<double>& measured) {
  std::map<std::string, std::size_t> position;
  for (std::size_t u = 0; u < graph.units().size(); ++u) position[graph.units()[u].name] = u;
  std::vector<double> seconds(graph.units().size(), 0);
  std::size_t last = 0;
  for (std::size_t u = 0; u < measured.size(); ++u) {
    const auto found = position.find(network.units()[u].name);
    if (found != position.end()) last = found->second;
    seconds[last] += measured[u];
  }
  return seconds;
}

/// The unit that makes the unit's last input; empty when it reads network inputs only.
std::optional<std::size_t> maker_of_inputs(const graph::Graph& graph, const graph::Unit& unit) {
  std::optional<std::size_t> latest;
  for (const graph::TensorId id : unit.inputs) {
    const auto producer = graph.producer(id);
    if (!producer) continue;
    const std::size_t maker = graph::index(graph.unit_of(*producer));
    latest = std::max(latest.value_or(maker), maker);
  }
  return latest;
}

std::vector<cost::MeasuredUnits> groups_of(const graph::Graph& graph, const std::vector<double>& seconds,
                                           quant::Bits bits) {
  std::vector<cost::MeasuredUnits> groups;
  std::vector<std::optional<std::size_t>> group_of(graph.units().size());
  for (std::size_t u = 0; u < graph.units().size(); ++u) {
    const graph::Unit& unit = graph.units()[u];
    const auto maker = maker_of_inputs(graph, unit);
    if (seconds[u] == 0 && maker) group_of[u] = group_of[*maker];
    if (!group_of[u]) {
      if (seconds[u] == 0) continue;
      group_of[u] = groups.size();
      groups.push_back({{}, {}, bits, 0});
    }
    cost::MeasuredUnits& group = groups[*group_of[u]];
    group.names.push_back(unit.name);
    group.work.push_back(cost::describe(graph, static_cast<graph::UnitId>(u)));
    group.seconds += seconds[u];
  }
  return groups;
}

}  // namespace

UnitTiming time_units(const graph::Graph& graph, const graph::Graph& network, quant::Bits bits, int threads,
                      std::int64_t iterations) {
  exec::Session session(network, {exec::Kernels::kFast, threads});
  const std::vector<Tensor> inputs = exec::noise_inputs(network, 1);
  for (int i = 0; i < kWarmup; ++i) session.run(inputs);
  const Times measured = measure(session, inputs, iterations);
  const std::vector<double> seconds = seconds_of_units(graph, network, measured.unit_s);
  return {groups_of(graph, seconds, bits), measured.run_s};
}

}  // namespace cleave::cli
