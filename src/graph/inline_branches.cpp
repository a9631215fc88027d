#include "graph/inline_branches.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "graph/builder.h"

namespace cleave::graph {

namespace {

/// The condition of an If that is known before the network runs.
std::optional<bool> known_condition(const Graph& graph, const Node& node) {
  if (node.op != "If" || !node.domain.empty() || node.input(0) == TensorId::kNone) return std::nullopt;
  const Tensor* value = graph.constant(node.input(0));
  if (value == nullptr || value->dtype() != DType::kBool || value->elements() != 1) return std::nullopt;
  return value->data<bool>()[0];
}

class Inlining {
 public:
  Inlining(const Graph& graph, NodeId id, const Graph& branch)
      : node_(graph.node(id)), branch_(branch), builder_(graph) {
    if (branch.inputs().size() != node_.captured || branch.outputs().size() != node_.outputs.size()) {
      throw Error(ErrorKind::kInvalidInput,
                  "node '" + node_.name + "': a branch has other inputs or outputs than the node");
    }
    for (const Node& node : graph.nodes()) node_names_.insert(node.name);
    builder_.remove_node(id);
  }

  Graph run() {
    for (std::size_t i = 0; i < node_.captured; ++i) to_[branch_.inputs()[i]] = node_.inputs[1 + i];
    const std::vector<std::pair<TensorId, TensorId>> copies = name_results();
    for (std::size_t i = 0; i < branch_.tensor_count(); ++i) add_tensor(static_cast<TensorId>(i));
    for (const Node& node : branch_.nodes()) add_node(node);
    for (const auto& [from, to] : copies) {
      const std::string name = builder_.tensor_at(to).name;
      builder_.node("Identity", {to_.at(from)}, {name}, {}, free_node_name(name));
    }
    return builder_.build();
  }

 private:
  /// What the branch makes gets the name of the If's result. Returns the results that are no node's own: captured
  /// tensors, constants, and a tensor that is a result twice.
  std::vector<std::pair<TensorId, TensorId>> name_results() {
    std::vector<std::pair<TensorId, TensorId>> copies;
    for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
      const TensorId result = node_.outputs[i];
      const TensorId made = branch_.outputs()[i];
      if (result == TensorId::kNone) continue;
      const bool own = branch_.producer(made).has_value() && to_.try_emplace(made, result).second;
      if (!own) copies.emplace_back(made, result);
    }
    return copies;
  }

  void add_tensor(TensorId id) {
    if (to_.contains(id)) return;
    const std::string name = builder_.free_name(branch_.tensor(id).name);
    const Tensor* value = branch_.constant(id);
    to_[id] = value == nullptr ? builder_.tensor(name) : builder_.constant(name, *value);
  }

  void add_node(const Node& node) {
    std::vector<TensorId> inputs;
    std::vector<std::string> outputs;
    for (const TensorId id : node.inputs) inputs.push_back(id == TensorId::kNone ? id : to_.at(id));
    for (const TensorId id : node.outputs) {
      outputs.push_back(id == TensorId::kNone ? "" : builder_.tensor_at(to_.at(id)).name);
    }
    builder_.node(node.op, std::move(inputs), outputs, node.attributes, free_node_name(node.name), node.domain);
    builder_.node_at(static_cast<NodeId>(builder_.node_count() - 1)).captured = node.captured;
  }

  std::string free_node_name(const std::string& wish) {
    std::string name = wish;
    for (int i = 1; !node_names_.insert(name).second; ++i) name = wish + "_" + std::to_string(i);
    return name;
  }

  const Node& node_;
  const Graph& branch_;
  GraphBuilder builder_;
  std::set<std::string> node_names_;
  std::map<TensorId, TensorId> to_;  ///< from the branch's tensors to the graph's
};

}  // namespace

std::optional<Graph> inline_constant_branch(const Graph& graph) {
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    const auto condition = known_condition(graph, node);
    if (!condition) continue;
    const Graph& branch = node.subgraph(*condition ? "then_branch" : "else_branch");
    return Inlining(graph, static_cast<NodeId>(n), branch).run();
  }
  return std::nullopt;
}

}  // namespace cleave::graph
