// Nodes that hand their input on unchanged disappear; their readers read the input.
//
//     Conv ── y ── Identity ── z ── Relu          becomes          Conv ── y ── Relu
//
// Identity; Dropout outside training; Cast to the same type; Reshape, Flatten, Squeeze, Unsqueeze and Expand to the
// same shape; Transpose that keeps the order; Pad by nothing; Slice of everything; Concat and Sum of one tensor.
#include <algorithm>
#include <array>
#include <string_view>

#include "graph/passes/passes.h"

namespace cleave::graph {

namespace {

bool same_known_shape(const Graph& graph, TensorId a, TensorId b) {
  const TensorInfo& first = graph.tensor(a);
  const TensorInfo& second = graph.tensor(b);
  return first.ranked && second.ranked && first.shape == second.shape &&
         std::all_of(first.shape.begin(), first.shape.end(), [](std::int64_t d) { return d >= 0; });
}

bool is_true(const Tensor& flag) {
  return flag.elements() == 1 && flag.raw()[0] != std::byte{0};
}

bool is_idle_dropout(const Graph& graph, const Node& node) {
  for (std::size_t i = 1; i < node.outputs.size(); ++i) {
    const TensorId mask = node.outputs[i];
    if (mask != TensorId::kNone && (graph.is_output(mask) || !graph.consumers(mask).empty())) return false;
  }
  const TensorId training = node.input(2);
  if (training == TensorId::kNone) return true;
  const Tensor* flag = graph.constant(training);
  return flag != nullptr && flag->dtype() == DType::kBool && !is_true(*flag);
}

bool keeps_order(const Node& node) {
  const std::vector<std::int64_t> order = node.integers("perm");
  return !order.empty() && std::is_sorted(order.begin(), order.end());
}

bool all_are(const std::optional<std::vector<std::int64_t>>& values, std::int64_t wanted) {
  return values && std::all_of(values->begin(), values->end(), [wanted](std::int64_t v) { return v == wanted; });
}

bool is_whole_slice(const Graph& graph, const Node& node) {
  const bool forward = node.input(4) == TensorId::kNone || all_are(constant_integers(graph, node.input(4)), 1);
  return forward && same_known_shape(graph, node.input(0), node.outputs.front());
}

bool hands_on(const Graph& graph, const Node& node) {
  constexpr std::array<std::string_view, 5> kReshapers{"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand"};
  const std::string& op = node.op;
  if (op == "Identity") return true;
  if (op == "Dropout") return is_idle_dropout(graph, node);
  if (op == "Cast") return node.integer("to", 0) == static_cast<std::int64_t>(graph.tensor(node.inputs[0]).dtype);
  if (op == "Transpose") return keeps_order(node);
  if (op == "Slice") return is_whole_slice(graph, node);
  if (op == "Pad") return all_are(constant_integers(graph, node.input(1)), 0);
  if (op == "Concat" || op == "Sum") return node.inputs.size() == 1;
  const bool reshapes = std::find(kReshapers.begin(), kReshapers.end(), op) != kReshapers.end();
  return reshapes && same_known_shape(graph, node.inputs[0], node.outputs.front());
}

}  // namespace

std::optional<Patch> remove_identity(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const bool simple = node.domain.empty() && node.input(0) != TensorId::kNone && !node.outputs.empty() &&
                      node.outputs.front() != TensorId::kNone;
  if (!simple || !hands_on(graph, node) || !can_redirect(graph, node.outputs.front(), node.inputs[0])) {
    return std::nullopt;
  }
  Patch patch;
  patch.remove.push_back(id);
  patch.redirect.emplace_back(node.outputs.front(), node.inputs[0]);
  return patch;
}

}  // namespace cleave::graph
