#pragma once

#include <optional>
#include <vector>

#include "graph/patch.h"

namespace cleave::graph {

// One pass per file; what each does stands there.
std::optional<Patch> fold_constants(const Graph& graph, NodeId id);
std::optional<Patch> remove_identity(const Graph& graph, NodeId id);
std::optional<Patch> remove_unused(const Graph& graph, NodeId id);
std::optional<Patch> fold_pad(const Graph& graph, NodeId id);
std::optional<Patch> fold_batch_norm(const Graph& graph, NodeId id);

/// All that fold_constants would do to the graph, as one patch; empty when there is nothing to fold.
std::optional<Patch> fold_all_constants(const Graph& graph);

/// True when every use of `from` can read `to` instead: a network output must stay a tensor that a node makes, under
/// its own name, and there is only one name to keep.
bool can_redirect(const Graph& graph, TensorId from, TensorId to);

/// The only node that reads a tensor which nobody outside the graph sees.
std::optional<NodeId> only_reader(const Graph& graph, TensorId id);

/// Integers of a constant input; empty when it is left out or not constant.
std::optional<std::vector<std::int64_t>> constant_integers(const Graph& graph, TensorId id);

}  // namespace cleave::graph
