#include "exec/fold_constants.h"

#include <algorithm>
#include <vector>

#include "exec/kernels/kernel.h"
#include "exec/kernels/operator_table.h"

namespace cleave::exec {

using graph::Graph;
using graph::Node;
using graph::TensorId;

namespace {

void evaluate(const Graph& graph, const Node& node, FoldedConstants& folded) {
  std::vector<InputView> inputs;
  for (const TensorId id : node.inputs) {
    inputs.push_back(id == TensorId::kNone ? InputView{} : view_of(*constant_of(graph, folded, id)));
  }
  std::vector<Tensor> values;
  std::vector<OutputView> outputs;
  for (const TensorId id : node.outputs) {
    if (id == TensorId::kNone) {
      values.emplace_back();
      outputs.emplace_back();
      continue;
    }
    const graph::TensorInfo& info = graph.tensor(id);
    values.emplace_back(info.dtype, info.shape);
    outputs.push_back(
        {info.dtype, info.shape, strides_of(info.shape, Layout::kPlain), values.back().mutable_raw().data()});
  }
  operator_of(node).reference({node, inputs, outputs});
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (node.outputs[i] != TensorId::kNone) folded[node.outputs[i]] = std::move(values[i]);
  }
}

}  // namespace

const Tensor* constant_of(const Graph& graph, const FoldedConstants& folded, TensorId id) {
  const auto found = folded.find(id);
  return found != folded.end() ? &found->second : graph.constant(id);
}

bool all_constant(const Graph& graph, const FoldedConstants& folded, const Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](TensorId id) { return id == TensorId::kNone || constant_of(graph, folded, id) != nullptr; });
}

FoldedConstants fold_constants(const Graph& graph) {
  FoldedConstants folded;
  for (const Node& node : graph.nodes()) {
    if (all_constant(graph, folded, node)) evaluate(graph, node, folded);
  }
  return folded;
}

}  // namespace cleave::exec
