// Nodes whose inputs are all known become constants under the names of their outputs.
//
//     x ── Shape ── Gather(0) ── Unsqueeze ─┐
//                                  [-1] ── Concat ── Reshape        becomes        [1, -1] ── Reshape
//     x ─────────────────────────────────────────────┘                     x ──────────────────┘
//
// Shape and Size of a tensor whose shape is known count as known.
#include "graph/fold/evaluate.h"
#include "graph/passes/passes.h"

namespace cleave::graph {

namespace {

bool has_network_output(const Graph& graph, const Node& node) {
  for (const TensorId id : node.outputs) {
    if (id != TensorId::kNone && graph.is_output(id)) return true;
  }
  return false;
}

/// Adds one node's outputs to the patch. A network output stays a node's work: runtimes expect it so.
bool fold_into(const Graph& graph, NodeId id, const ConstantLookup& lookup, Patch& patch) {
  const Node& node = graph.node(id);
  if (has_network_output(graph, node)) return false;
  auto values = evaluate(graph, id, lookup);
  if (!values) return false;
  patch.remove.push_back(id);
  for (std::size_t i = 0; i < node.outputs.size() && i < values->size(); ++i) {
    if (node.outputs[i] != TensorId::kNone) patch.constants.emplace_back(node.outputs[i], std::move((*values)[i]));
  }
  return true;
}

}  // namespace

std::optional<Patch> fold_constants(const Graph& graph, NodeId id) {
  Patch patch;
  if (!fold_into(
          graph, id, [&graph](TensorId t) { return graph.constant(t); }, patch))
    return std::nullopt;
  return patch;
}

std::optional<Patch> fold_all_constants(const Graph& graph) {
  Patch patch;
  std::vector<const Tensor*> folded(graph.tensor_count(), nullptr);
  std::map<TensorId, Tensor> values;  // stable addresses
  const ConstantLookup lookup = [&](TensorId id) {
    return folded[index(id)] != nullptr ? folded[index(id)] : graph.constant(id);
  };
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const std::size_t before = patch.constants.size();
    if (!fold_into(graph, static_cast<NodeId>(n), lookup, patch)) continue;
    for (std::size_t i = before; i < patch.constants.size(); ++i) {
      const auto& [id, value] = patch.constants[i];
      folded[index(id)] = &(values[id] = value);
    }
  }
  if (patch.remove.empty()) return std::nullopt;
  return patch;
}

}  // namespace cleave::graph
