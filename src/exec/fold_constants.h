#pragma once

#include <map>

#include "core/tensor.h"
#include "graph/graph.h"

namespace cleave::exec {

/// Constants that were computed at compile time, by tensor.
using FoldedConstants = std::map<graph::TensorId, Tensor>;

/// Values of nodes all of whose inputs are constants (dequantized weights, ...).
FoldedConstants fold_constants(const graph::Graph& graph);

/// Value of a constant, folded or given by the graph; nullptr for activations.
const Tensor* constant_of(const graph::Graph& graph, const FoldedConstants& folded, graph::TensorId id);

/// True when every input that is there is a constant.
bool all_constant(const graph::Graph& graph, const FoldedConstants& folded, const graph::Node& node);

}  // namespace cleave::exec
