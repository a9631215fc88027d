#include "graph/part.h"

#include <algorithm>
#include <set>

#include "core/check.h"
#include "graph/builder.h"

namespace cleave::graph {

namespace {

/// The unit that makes a tensor; -1 for network inputs.
std::ptrdiff_t made_by(const Graph& graph, TensorId id) {
  const auto producer = graph.producer(id);
  return producer ? static_cast<std::ptrdiff_t>(index(graph.unit_of(*producer))) : -1;
}

bool read_from(const Graph& graph, TensorId id, std::size_t unit) {
  const auto readers = graph.consumers(id);
  return std::any_of(readers.begin(), readers.end(),
                     [&](NodeId reader) { return index(graph.unit_of(reader)) >= unit; });
}

}  // namespace

std::vector<TensorId> live_before(const Graph& graph, std::size_t unit) {
  std::vector<TensorId> made(graph.inputs().begin(), graph.inputs().end());
  for (std::size_t u = 0; u < unit; ++u) {
    const Unit& row = graph.units()[u];
    made.insert(made.end(), row.outputs.begin(), row.outputs.end());
  }
  std::vector<TensorId> live;
  for (const TensorId id : made) {
    if (read_from(graph, id, unit) || graph.is_output(id)) live.push_back(id);
  }
  return live;
}

Graph part_between(const Graph& graph, std::size_t first, std::size_t last) {
  CLEAVE_CHECK(first < last && last <= graph.units().size(), "a part has units of the network");
  std::set<TensorId> read;
  for (std::size_t u = first; u < last; ++u) {
    read.insert(graph.units()[u].inputs.begin(), graph.units()[u].inputs.end());
  }
  std::vector<std::string> inputs;
  for (const TensorId id : live_before(graph, first)) {
    if (read.contains(id)) inputs.push_back(graph.tensor(id).name);
  }
  std::vector<std::string> outputs;
  for (const TensorId id : live_before(graph, last)) {
    if (made_by(graph, id) >= static_cast<std::ptrdiff_t>(first)) outputs.push_back(graph.tensor(id).name);
  }
  return extract(graph, inputs, outputs);
}

}  // namespace cleave::graph
