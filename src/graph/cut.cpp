#include "graph/cut.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/text.h"

namespace cleave::graph {

namespace {

/// True when the tensor is a network input or made by an edge unit.
bool lives_on_edge(const Graph& graph, const Cut& cut, TensorId id) {
  const auto producer = graph.producer(id);
  return producer ? cut.on_edge[index(graph.unit_of(*producer))] : graph.is_input(id);
}

bool read_on_cloud(const Graph& graph, const Cut& cut, TensorId id) {
  const auto readers = graph.consumers(id);
  return std::any_of(readers.begin(), readers.end(),
                     [&](NodeId reader) { return !cut.on_edge[index(graph.unit_of(reader))]; });
}

Error inside_a_unit(const Graph& graph, const std::string& name, NodeId producer) {
  const Unit& unit = graph.unit(graph.unit_of(producer));
  std::vector<std::string> nearest;
  for (const TensorId id : unit.outputs) nearest.push_back("'" + graph.tensor(id).name + "'");
  for (const TensorId id : unit.inputs) nearest.push_back("'" + graph.tensor(id).name + "'");
  return Error(ErrorKind::kInvalidInput, "tensor '" + name + "' is inside the unit '" + unit.name + "'",
               "Cut at one of its outside tensors: " + join_text(nearest, ", ") + ".");
}

}  // namespace

bool is_down_closed(const Graph& graph, const Cut& cut) {
  const auto units = graph.units();
  for (std::size_t u = 0; u < units.size(); ++u) {
    if (!cut.on_edge[u]) continue;
    for (const TensorId id : units[u].inputs) {
      if (!lives_on_edge(graph, cut, id)) return false;
    }
  }
  return true;
}

std::vector<TensorId> crossing_tensors(const Graph& graph, const Cut& cut, bool result_to_cloud) {
  std::vector<TensorId> candidates(graph.inputs().begin(), graph.inputs().end());
  const auto units = graph.units();
  for (std::size_t u = 0; u < units.size(); ++u) {
    if (cut.on_edge[u]) candidates.insert(candidates.end(), units[u].outputs.begin(), units[u].outputs.end());
  }
  std::vector<TensorId> crossing;
  for (const TensorId id : candidates) {
    const bool is_result = result_to_cloud && graph.is_output(id) && graph.producer(id).has_value();
    if (read_on_cloud(graph, cut, id) || is_result) crossing.push_back(id);
  }
  return crossing;
}

Cut cut_at(const Graph& graph, const std::vector<std::string>& tensors) {
  Cut cut = Cut::none(graph);
  std::vector<TensorId> open;
  for (const std::string& name : tensors) {
    const auto id = graph.find(name);
    if (!id || graph.constant(*id) != nullptr) {
      std::vector<std::string> names;
      for (const Unit& unit : graph.units()) {
        for (const TensorId output : unit.outputs) names.push_back(graph.tensor(output).name);
      }
      throw Error(ErrorKind::kInvalidInput, "there is no tensor '" + name + "' to cut at" + did_you_mean(name, names));
    }
    const auto producer = graph.producer(*id);
    if (producer) {
      const Unit& unit = graph.unit(graph.unit_of(*producer));
      if (std::find(unit.outputs.begin(), unit.outputs.end(), *id) == unit.outputs.end()) {
        throw inside_a_unit(graph, name, *producer);
      }
    }
    open.push_back(*id);
  }
  std::set<TensorId> seen;
  while (!open.empty()) {
    const TensorId id = open.back();
    open.pop_back();
    const auto producer = graph.producer(id);
    if (!seen.insert(id).second || !producer) continue;
    const UnitId unit = graph.unit_of(*producer);
    cut.on_edge[index(unit)] = true;
    const Unit& made_by = graph.unit(unit);
    open.insert(open.end(), made_by.inputs.begin(), made_by.inputs.end());
  }
  return cut;
}

}  // namespace cleave::graph
