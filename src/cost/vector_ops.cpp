#include "cost/vector_ops.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "cost/counts.h"
#include "graph/first_output.h"

namespace cleave::cost {

namespace {

using graph::Graph;
using graph::Node;
using graph::TensorId;

/// How a node's operations follow from its shapes.
enum class Rule { kNothing, kWindow, kInput, kResize, kThreeSweeps, kLrn };

struct OpRule {
  std::string_view op;
  Rule rule;
};

constexpr std::array<OpRule, 48> kRules{{
    {"Concat", Rule::kNothing},
    {"Constant", Rule::kNothing},
    {"ConstantOfShape", Rule::kNothing},
    {"DepthToSpace", Rule::kNothing},
    {"Dropout", Rule::kNothing},
    {"Expand", Rule::kNothing},
    {"Flatten", Rule::kNothing},
    {"Gather", Rule::kNothing},
    {"GatherElements", Rule::kNothing},
    {"GatherND", Rule::kNothing},
    {"Identity", Rule::kNothing},
    {"Pad", Rule::kNothing},
    {"Reshape", Rule::kNothing},
    {"ScatterElements", Rule::kNothing},
    {"ScatterND", Rule::kNothing},
    {"Shape", Rule::kNothing},
    {"Size", Rule::kNothing},
    {"Slice", Rule::kNothing},
    {"SpaceToDepth", Rule::kNothing},
    {"Split", Rule::kNothing},
    {"Squeeze", Rule::kNothing},
    {"Tile", Rule::kNothing},
    {"Transpose", Rule::kNothing},
    {"Unsqueeze", Rule::kNothing},
    {"AveragePool", Rule::kWindow},
    {"LpPool", Rule::kWindow},
    {"MaxPool", Rule::kWindow},
    {"ArgMax", Rule::kInput},
    {"ArgMin", Rule::kInput},
    {"GlobalAveragePool", Rule::kInput},
    {"GlobalLpPool", Rule::kInput},
    {"GlobalMaxPool", Rule::kInput},
    {"ReduceL1", Rule::kInput},
    {"ReduceL2", Rule::kInput},
    {"ReduceLogSumExp", Rule::kInput},
    {"ReduceMax", Rule::kInput},
    {"ReduceMean", Rule::kInput},
    {"ReduceMin", Rule::kInput},
    {"ReduceProd", Rule::kInput},
    {"ReduceSum", Rule::kInput},
    {"ReduceSumSquare", Rule::kInput},
    {"Resize", Rule::kResize},
    {"Upsample", Rule::kResize},
    {"InstanceNormalization", Rule::kThreeSweeps},
    {"LayerNormalization", Rule::kThreeSweeps},
    {"LogSoftmax", Rule::kThreeSweeps},
    {"Softmax", Rule::kThreeSweeps},
    {"LRN", Rule::kLrn},
}};

std::int64_t elements(const Graph& graph, TensorId id) {
  return id == TensorId::kNone ? 0 : element_count(graph.tensor(id).shape);
}

std::int64_t window(const Node& node) {
  std::int64_t area = 1;
  for (const std::int64_t side : node.integers("kernel_shape")) area = checked_product({area, side});
  return area;
}

std::int64_t taps(const Graph& graph, const Node& node) {
  const std::string mode = node.text("mode", "nearest");
  const std::int64_t per_dimension = mode == "nearest" ? 1 : mode == "cubic" ? 4 : 2;
  const Shape& in = graph.tensor(node.input(0)).shape;
  const Shape& out = graph.tensor(node.outputs.front()).shape;
  std::int64_t count = 1;
  for (std::size_t i = 0; i < std::min(in.size(), out.size()); ++i) {
    if (in[i] != out[i]) count *= per_dimension;
  }
  return count;
}

}  // namespace

std::int64_t vector_ops(const Graph& graph, graph::NodeId id) {
  const Node& node = graph.node(id);
  const std::int64_t outputs = elements(graph, graph::first_output(node));
  const auto rule =
      std::find_if(kRules.begin(), kRules.end(), [&](const OpRule& entry) { return entry.op == node.op; });
  if (rule == kRules.end()) return outputs;
  switch (rule->rule) {
    case Rule::kNothing:
      return 0;
    case Rule::kWindow:
      return checked_product({outputs, window(node)});
    case Rule::kInput:
      return elements(graph, node.input(0));
    case Rule::kResize:
      return checked_product({outputs, taps(graph, node)});
    case Rule::kThreeSweeps:
      return checked_product({outputs, 3});
    case Rule::kLrn:
      return checked_product({outputs, node.integer("size", 1)});
  }
  return outputs;
}

}  // namespace cleave::cost
