#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace cleave::graph {

/// Where a network is cut: the set of units on the edge. Valid when down-closed: every producer of an edge unit's
/// inputs is on the edge too.
struct Cut {
  std::vector<bool> on_edge;  ///< one per unit, schedule order

  static Cut none(const Graph& graph) { return {std::vector<bool>(graph.units().size(), false)}; }
  static Cut all(const Graph& graph) { return {std::vector<bool>(graph.units().size(), true)}; }
};

bool is_down_closed(const Graph& graph, const Cut& cut);

/// Tensors on the edge (network inputs and edge outputs) that a cloud unit consumes, each once however many consume
/// it, in tensor order of production (network inputs first). With `result_to_cloud`, network outputs made on the edge
/// cross as well.
std::vector<TensorId> crossing_tensors(const Graph& graph, const Cut& cut, bool result_to_cloud = false);

/// The edge units needed so that exactly these tensors (by name) can cross: the ancestors of the tensors.
/// Throws Error(kInvalidInput) for an unknown name, or when a tensor is inside a unit (the message names the nearest
/// tensors that can be cut).
Cut cut_at(const Graph& graph, const std::vector<std::string>& tensors);

}  // namespace cleave::graph
