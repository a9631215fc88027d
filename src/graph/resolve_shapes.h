#pragma once

#include "graph/graph.h"
#include "graph/prepare.h"

namespace cleave::graph {

/// True when type and every dimension are known.
bool is_fully_known(const TensorInfo& info);

/// The graph with every input's shape fixed: as the options say, a symbolic first dimension as 1. Types and shapes in
/// between are forgotten, since they may have been written for another size.
/// Throws Error(kInvalidInput) naming input and dimension when one stays unknown or contradicts the file.
Graph fix_inputs(const Graph& graph, const PrepareOptions& options);

struct Resolved {
  Graph graph;
  int folded = 0;  ///< nodes that became constants on the way
};

/// Infers types and shapes, folding what becomes known (shape arithmetic) until nothing more does.
Resolved resolve_shapes(const Graph& graph);

}  // namespace cleave::graph
