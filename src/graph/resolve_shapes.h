#pragma once

#include <map>
#include <string>

#include "graph/graph.h"
#include "graph/prepare.h"

namespace cleave::graph {

/// True when type and every dimension are known.
bool is_fully_known(const TensorInfo& info);

class GraphBuilder;

/// Forgets the shapes of what the nodes of `graph`, which `builder` started from, make, and all names of dimensions:
/// they may have been written for another size.
void forget_shapes(GraphBuilder& builder, const Graph& graph);

/// The graph with every input's shape fixed: as the options say, a symbolic first dimension as 1. Types and shapes in
/// between are forgotten, since they may have been written for another size.
/// Throws Error(kInvalidInput) naming input and dimension when one stays unknown or contradicts the file.
Graph fix_inputs(const Graph& graph, const PrepareOptions& options);

struct Resolved {
  Graph graph;
  int folded = 0;  ///< nodes that became constants on the way
};

/// Infers types and shapes, folding what becomes known (shape arithmetic) until nothing more does, and inlining the
/// branch of each If whose condition becomes known.
Resolved resolve_shapes(const Graph& graph);

/// Types and ranks (every dimension -1) of all tensors, by name, also where they come out of shape arithmetic that
/// infer_types does not follow. A rank does not depend on the batch, so one is enough to find it.
/// Empty where input sizes must be given first.
std::map<std::string, TensorInfo> infer_ranks(const Graph& graph);

}  // namespace cleave::graph
