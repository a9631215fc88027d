#include "exec/control/subgraph.h"

#include <algorithm>

#include "core/error.h"
#include "graph/builder.h"
#include "graph/prepare.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::Node;
using graph::TensorId;

std::size_t formal_count(const Node& node, const Graph& inner) {
  if (inner.inputs().size() < node.captured) {
    throw Error(ErrorKind::kInvalidInput, "node '" + node.name + "': a subgraph lacks captured inputs");
  }
  return inner.inputs().size() - node.captured;
}

/// Positions among the node's inputs of captured tensors that are no constants.
std::vector<std::size_t> open_captured(const Graph& around, const Node& node) {
  std::vector<std::size_t> positions;
  for (std::size_t i = node.inputs.size() - node.captured; i < node.inputs.size(); ++i) {
    if (around.constant(node.inputs[i]) == nullptr) positions.push_back(i);
  }
  return positions;
}

/// The inner graph with captured constants in place, simplified.
Graph bound(const Graph& around, const Node& node, const Graph& inner) {
  graph::GraphBuilder builder(inner);
  const std::size_t formal = formal_count(node, inner);
  std::vector<TensorId> inputs(inner.inputs().begin(), inner.inputs().begin() + static_cast<std::ptrdiff_t>(formal));
  for (std::size_t i = 0; i < node.captured; ++i) {
    const TensorId inside = inner.inputs()[formal + i];
    const Tensor* value = around.constant(node.inputs[node.inputs.size() - node.captured + i]);
    if (value == nullptr) {
      inputs.push_back(inside);
    } else {
      builder.set_constant(inside, *value);
    }
  }
  builder.set_inputs(std::move(inputs));
  return graph::simplify(builder.build());
}

}  // namespace

Subgraph::Subgraph(const Graph& around, const Node& node, const std::string& key, const SessionOptions& options)
    : formal_inputs_(formal_count(node, node.subgraph(key))),
      captured_(open_captured(around, node)),
      sessions_(bound(around, node, node.subgraph(key)), options) {}

std::vector<Tensor> Subgraph::with_captured(std::vector<Tensor> formal, std::span<const Tensor> node_inputs) const {
  for (const std::size_t position : captured_) formal.push_back(node_inputs[position]);
  return formal;
}

std::vector<Tensor> Subgraph::run(std::vector<Tensor> formal, std::span<const Tensor> node_inputs) {
  return sessions_.run(with_captured(std::move(formal), node_inputs));
}

std::vector<Tensor> Subgraph::results_without_run(std::vector<Tensor> formal, std::span<const Tensor> node_inputs) {
  const Graph& graph = sessions_.session_for(with_captured(std::move(formal), node_inputs)).graph();
  std::vector<Tensor> results;
  for (const TensorId id : graph.outputs()) {
    const graph::TensorInfo& info = graph.tensor(id);
    if (info.dtype == DType::kUndefined) {
      throw Error(ErrorKind::kUnsupported, "the type of '" + info.name + "' is not known before it is made");
    }
    Shape shape = info.shape;
    std::replace_if(
        shape.begin(), shape.end(), [](std::int64_t d) { return d < 0; }, 0);
    results.emplace_back(info.dtype, shape);
  }
  return results;
}

}  // namespace cleave::exec
