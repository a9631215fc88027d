#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace cleave::graph {

/// A proposed rewrite: what to remove, replace and add. Applied as a whole; the graph is validated afterwards.
struct Patch {
  std::vector<NodeId> remove;
  std::map<NodeId, Node> replace;                      ///< same id, new content
  std::vector<std::pair<TensorId, Tensor>> constants;  ///< a tensor that becomes a constant (its producer is removed)
  std::vector<std::pair<std::string, Tensor>> new_constants;  ///< refer to them in `replace` by name through pending()
  std::vector<std::pair<TensorId, TensorId>> redirect;        ///< every use of first reads second instead

  /// The id that new_constants[i] will get in a graph with `graph.tensor_count()` tensors.
  static TensorId pending(const Graph& graph, std::size_t i) { return static_cast<TensorId>(graph.tensor_count() + i); }
};

/// A rewrite rule: looks at one node and proposes, or returns nothing.
struct Pass {
  const char* name;
  const char* what;  ///< one line for people
  std::optional<Patch> (*propose)(const Graph& graph, NodeId node);
};

/// The ordered table of passes that prepare() runs.
std::span<const Pass> pass_table();

/// The rewritten graph, validated. A redirected graph output keeps its name: the producer's tensor is renamed.
Graph apply(const Graph& graph, const Patch& patch);

/// Throws Error(kInvalidInput) naming the first broken rule: wiring, order, types and shapes of constants.
void validate(const Graph& graph);

}  // namespace cleave::graph
