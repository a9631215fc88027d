#pragma once

#include <optional>

#include "graph/graph.h"

namespace cleave::graph {

/// The graph with the first If whose condition is a constant replaced by the branch that it takes; empty when there is
/// none. Tensors and nodes of the branch keep their names where these are free; the results have the If's.
///
///     x ── If(true) ── y          becomes          x ── Conv ── y
///           then: Conv
///           else: Relu
///
/// Throws Error(kInvalidInput) naming the node when its branch does not make what it promises.
std::optional<Graph> inline_constant_branch(const Graph& graph);

}  // namespace cleave::graph
