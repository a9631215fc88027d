#include "exec/kernels/input_checks.h"
#include "exec/kernels/support_checks.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::Node;
using graph::TensorId;
using graph::TensorInfo;

Reason check_one_value(const Graph& graph, const Node& node, std::size_t input) {
  if (node.input(input) == TensorId::kNone) return std::nullopt;
  const TensorInfo& tensor = graph.tensor(node.inputs[input]);
  return element_count(tensor.shape) == 1 ? std::nullopt : wrong_shape(tensor);
}

/// From opset 20 on the axis counts from the back where it is left out, before from the front: the same for three
/// dimensions.
Reason check_axis(const Graph& graph, const Node& node) {
  constexpr int kAxisIsAnInput = 20;
  const bool named = node.input(2) != TensorId::kNone || graph.opset() < kAxisIsAnInput;
  return named || graph.tensor(node.inputs[0]).shape.size() == 3 ? std::nullopt
                                                                 : Reason("its axis must be given for this rank");
}

}  // namespace

Reason check_dft(const Graph& graph, const Node& node) {
  const TensorInfo& x = graph.tensor(node.inputs[0]);
  if (x.shape.size() < 2 || x.shape.back() < 1 || x.shape.back() > 2) return wrong_shape(x);
  if (node.integer("inverse", 0) != 0 && node.integer("onesided", 0) != 0) {
    return "inverse and onesided together are not supported";
  }
  return first_of({check_axis(graph, node), check_one_value(graph, node, 1), check_one_value(graph, node, 2)});
}

Reason check_stft(const Graph& graph, const Node& node) {
  const TensorInfo& x = graph.tensor(node.inputs[0]);
  const bool complex = x.shape.size() == 3 && x.shape[2] == 2;
  const bool real = x.shape.size() == 2 || (x.shape.size() == 3 && x.shape[2] == 1);
  if (!real && !complex) return wrong_shape(x);
  if (complex && node.integer("onesided", 1) != 0) return "onesided transforms of complex signals are not supported";
  return first_of({check_one_value(graph, node, 1), check_inputs(graph, node, {{2, x.dtype, {-1}}}),
                   check_one_value(graph, node, 3)});
}

Reason check_mel_weights(const Graph& graph, const Node& node) {
  return first_of({check_one_value(graph, node, 0), check_one_value(graph, node, 1), check_one_value(graph, node, 2),
                   check_one_value(graph, node, 3), check_one_value(graph, node, 4)});
}

}  // namespace cleave::exec
