#pragma once

#include <vector>

#include "graph/graph.h"

namespace cleave::graph {

/// What has been made before unit `unit` of the schedule and is still needed: network inputs and unit outputs that this
/// or a later unit reads, or that are network outputs. In order of production, network inputs first. `unit` may be the
/// number of units: then the network outputs are left.
std::vector<TensorId> live_before(const Graph& graph, std::size_t unit);

/// Units [first, last) of the schedule as a network of their own, with the names of the whole. Inputs: the live tensors
/// before `first` that it reads. Outputs: those live before `last` that it makes. first < last.
Graph part_between(const Graph& graph, std::size_t first, std::size_t last);

}  // namespace cleave::graph
