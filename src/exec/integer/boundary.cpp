#include "exec/compiler.h"
#include "exec/integer/lowerings.h"
#include "exec/integer/steps.h"

namespace cleave::exec::integer {

using graph::Node;
using graph::TensorId;

bool lower_quantize(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const Node* clip = group.followers.empty() ? nullptr : &compiler.node(group.followers[0].nodes[0]);
  const auto grid = grid_of_quantize(compiler.graph(), compiler.facts().constant, node, clip);
  if (!grid) return false;
  const TensorId result = group.result(compiler.graph());
  if (const auto from = compiler.coded(node.inputs[0])) {
    requantize(compiler, *from, {result, *grid});
    return true;
  }
  if (compiler.dtype(node.inputs[0]) != DType::kFloat32) return false;
  const Layout layout = compiler.layout_at_hand(node.inputs[0]);
  const SlotId source = compiler.read(node.inputs[0], layout);
  const SlotId target = compiler.write(result, layout);
  const Run run{source, target, element_count(compiler.shape(result))};
  compiler.emit({std::make_unique<QuantizeStep>(*grid, run), {source}, {target}, SlotId::kNone, 0, {}});
  return true;
}

bool lower_dequantize(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const TensorId result = node.outputs[0];
  const auto grid = grid_of_dequantize(compiler.graph(), compiler.facts().constant, node);
  if (!grid || compiler.dtype(result) != DType::kFloat32) return false;
  compiler.set_coded(result, {node.inputs[0], *grid});
  return true;
}

}  // namespace cleave::exec::integer
