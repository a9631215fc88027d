#include "graph/fold/evaluate.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "graph/fold/call.h"

namespace cleave::graph {

namespace {

struct Row {
  std::string_view op;
  fold::Result (*evaluate)(const fold::Call&);
};

constexpr std::array kTable{
    Row{"Abs", fold::unary},
    Row{"Add", fold::binary},
    Row{"And", fold::logic},
    Row{"Cast", fold::cast},
    Row{"Ceil", fold::unary},
    Row{"Concat", fold::concat},
    Row{"ConstantOfShape", fold::constant_of_shape},
    Row{"Div", fold::binary},
    Row{"Equal", fold::compare},
    Row{"Exp", fold::unary},
    Row{"Expand", fold::expand},
    Row{"Flatten", fold::flatten},
    Row{"Floor", fold::unary},
    Row{"Gather", fold::gather},
    Row{"Greater", fold::compare},
    Row{"Identity", fold::identity},
    Row{"Less", fold::compare},
    Row{"Log", fold::unary},
    Row{"Max", fold::binary},
    Row{"Min", fold::binary},
    Row{"Mul", fold::binary},
    Row{"Neg", fold::unary},
    Row{"Not", fold::logic},
    Row{"Or", fold::logic},
    Row{"Pow", fold::binary},
    Row{"Range", fold::range},
    Row{"Reciprocal", fold::unary},
    Row{"ReduceMax", fold::reduce},
    Row{"ReduceMin", fold::reduce},
    Row{"ReduceProd", fold::reduce},
    Row{"ReduceSum", fold::reduce},
    Row{"Reshape", fold::reshape},
    Row{"Round", fold::unary},
    Row{"Shape", fold::shape_of},
    Row{"Size", fold::shape_of},
    Row{"Slice", fold::slice},
    Row{"Split", fold::split},
    Row{"Sqrt", fold::unary},
    Row{"Squeeze", fold::squeeze},
    Row{"Sub", fold::binary},
    Row{"Tile", fold::tile},
    Row{"Transpose", fold::transpose},
    Row{"Unsqueeze", fold::unsqueeze},
    Row{"Where", fold::where},
};

}  // namespace

std::optional<std::vector<Tensor>> evaluate(const Graph& graph, NodeId id, const ConstantLookup& lookup) {
  const Node& node = graph.node(id);
  if (!node.domain.empty()) return std::nullopt;
  const auto row = std::find_if(kTable.begin(), kTable.end(), [&node](const Row& r) { return r.op == node.op; });
  if (row == kTable.end()) return std::nullopt;
  fold::Call call{graph, node, {}};
  for (const TensorId input : node.inputs) {
    call.in.push_back(input == TensorId::kNone ? nullptr : lookup(input));
    const bool unknown = input != TensorId::kNone && call.in.back() == nullptr;
    if (unknown && row->evaluate != fold::shape_of) return std::nullopt;
    if (call.in.back() != nullptr && is_packed(call.in.back()->dtype())) return std::nullopt;
  }
  return row->evaluate(call);
}

}  // namespace cleave::graph
