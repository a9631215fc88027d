#include "exec/staged/value_shaped_node.h"

#include <algorithm>

#include "core/error.h"
#include "graph/builder.h"
#include "graph/shape_inputs.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::Node;
using graph::TensorId;

bool gives_shape(const Node& node, std::size_t input) {
  const std::vector<std::size_t>& positions = graph::shape_inputs(node).positions;
  return std::find(positions.begin(), positions.end(), input) != positions.end();
}

/// Where the node has its inputs that are no constants, each tensor once.
std::vector<std::size_t> open_positions(const Graph& graph, const Node& node) {
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const TensorId id = node.inputs[i];
    const bool seen = std::find(node.inputs.begin(), node.inputs.begin() + static_cast<std::ptrdiff_t>(i), id) !=
                      node.inputs.begin() + static_cast<std::ptrdiff_t>(i);
    if (id != TensorId::kNone && !seen && graph.constant(id) == nullptr) positions.push_back(i);
  }
  return positions;
}

Graph alone(const Graph& graph, const Node& node) {
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  for (const std::size_t i : open_positions(graph, node)) inputs.push_back(graph.tensor(node.inputs[i]).name);
  for (const TensorId id : node.outputs) {
    if (id != TensorId::kNone) outputs.push_back(graph.tensor(id).name);
  }
  return graph::extract(graph, inputs, outputs);
}

/// By input of the small graph: true where its value must be known.
std::vector<bool> by_value(const Graph& graph, const Node& node) {
  std::vector<bool> result;
  for (const std::size_t position : open_positions(graph, node)) {
    bool gives = false;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      gives |= node.inputs[i] == node.inputs[position] && gives_shape(node, i);
    }
    result.push_back(gives);
  }
  return result;
}

}  // namespace

ValueShapedNode::ValueShapedNode(const Graph& graph, graph::NodeId id, const SessionOptions& options)
    : node_(graph.node(id)),
      positions_(open_positions(graph, node_)),
      sessions_(alone(graph, node_), options, by_value(graph, node_), Stages::kOne) {}

std::vector<Tensor> ValueShapedNode::run(std::span<const Tensor> inputs) {
  std::vector<Tensor> open;
  for (const std::size_t position : positions_) open.push_back(inputs[position]);
  std::vector<Tensor> made = sessions_.run(open);
  std::vector<Tensor> outputs;
  auto next = made.begin();
  for (const TensorId id : node_.outputs) outputs.push_back(id == TensorId::kNone ? Tensor{} : std::move(*next++));
  return outputs;
}

}  // namespace cleave::exec
