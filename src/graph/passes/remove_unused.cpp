// Nodes that nobody needs disappear, together with those that only they needed.
//
//     x ── Conv ── Relu ── y          becomes          x ── Conv ── Relu ── y
//            └── Sqrt ── Neg
#include <algorithm>
#include <set>

#include "graph/passes/passes.h"

namespace cleave::graph {

std::optional<Patch> remove_unused(const Graph& graph, NodeId id) {
  std::set<NodeId> gone;
  std::vector<NodeId> open{id};
  while (!open.empty()) {
    const NodeId at = open.back();
    open.pop_back();
    const Node& node = graph.node(at);
    const bool needed = std::any_of(node.outputs.begin(), node.outputs.end(), [&](TensorId output) {
      if (output == TensorId::kNone) return false;
      const auto readers = graph.consumers(output);
      return graph.is_output(output) ||
             std::any_of(readers.begin(), readers.end(), [&](NodeId reader) { return !gone.contains(reader); });
    });
    if (needed || !gone.insert(at).second) continue;
    for (const TensorId input : node.inputs) {
      if (input != TensorId::kNone && graph.producer(input)) open.push_back(*graph.producer(input));
    }
  }
  if (gone.empty()) return std::nullopt;
  Patch patch;
  patch.remove.assign(gone.begin(), gone.end());
  return patch;
}

}  // namespace cleave::graph
