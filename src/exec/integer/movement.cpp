#include <algorithm>
#include <set>

#include "exec/integer/epilogue.h"
#include "exec/integer/lowerings.h"
#include "exec/integer/steps.h"
#include "exec/kernels/fast/lowerings.h"

namespace cleave::exec::integer {
namespace {

using graph::Node;
using graph::TensorId;

/// A new tensor of codes that stands for the float tensor `id`.
TensorId add_codes(Compiler& compiler, TensorId id, const CodeGrid& grid) {
  const TensorId codes = compiler.add_tensor(grid.dtype, compiler.shape(id));
  compiler.set_coded(id, {codes, grid});
  return codes;
}

bool renames(const Node& node) {
  static const std::set<std::string> kRenaming = {"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze"};
  return kRenaming.contains(node.op);
}

/// Where the codes lie already as the result wants them.
bool moves_nothing(Compiler& compiler, const Node& node, TensorId from, TensorId to) {
  if (renames(node) && fast::is_settled_renaming(compiler, node)) {
    fast::alias_reshaped(compiler, from, to);
    return true;
  }
  return node.op == "Transpose" && fast::alias_transposed(compiler, node, from, to);
}

/// The grid that all inputs share, or nothing.
std::optional<CodeGrid> common_grid(Compiler& compiler, const Node& node) {
  const auto first = compiler.coded(node.inputs[0]);
  const bool shared = std::all_of(node.inputs.begin(), node.inputs.end(), [&](TensorId id) {
    const auto coded = compiler.coded(id);
    return first && coded && coded->grid.same_values(first->grid);
  });
  return shared ? std::optional(first->grid) : std::nullopt;
}

}  // namespace

bool lower_movement(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const auto source = compiler.coded(node.inputs[0]);
  if (!source) return false;
  if (!group.followers.empty()) {
    const TensorId result = group.result(compiler.graph());
    const TensorId codes = compiler.add_tensor(source->grid.dtype, compiler.shape(result));
    if (!fast::shuffle_channels(compiler, group, source->codes, codes)) return false;
    compiler.set_coded(result, {codes, source->grid});
    return true;
  }
  std::map<TensorId, TensorId> stand_ins{{node.inputs[0], source->codes}};
  for (const TensorId output : node.outputs) {
    if (output != TensorId::kNone) stand_ins[output] = add_codes(compiler, output, source->grid);
  }
  if (!moves_nothing(compiler, node, source->codes, stand_ins[node.outputs[0]])) {
    compiler.lower_plainly(group.main, stand_ins);
  }
  return true;
}

bool lower_max_pooling(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const auto source = compiler.coded(node.inputs[0]);
  if (!source || node.outputs.size() != 1) return false;
  const TensorId codes = compiler.add_tensor(source->grid.dtype, compiler.shape(node.outputs[0]));
  if (!fast::max_pool_codes(compiler, node, source->codes, codes)) return false;
  compiler.set_coded(node.outputs[0], {codes, source->grid});
  return true;
}

bool lower_concat(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const auto stored = stored_grid(compiler, group.followers);
  const auto grid = stored ? stored : common_grid(compiler, node);
  const bool coded =
      std::all_of(node.inputs.begin(), node.inputs.end(), [&](TensorId id) { return compiler.coded(id).has_value(); });
  if (!grid || !coded || (!stored && !group.followers.empty())) return false;
  std::map<TensorId, TensorId> stand_ins;
  for (const TensorId id : node.inputs) {
    if (stand_ins.contains(id)) continue;
    const CodedTensor to{compiler.add_tensor(grid->dtype, compiler.shape(id)), *grid};
    requantize(compiler, *compiler.coded(id), to);
    stand_ins[id] = to.codes;
  }
  stand_ins[node.outputs[0]] = stored ? group.result(compiler.graph()) : add_codes(compiler, node.outputs[0], *grid);
  compiler.lower_plainly(group.main, stand_ins);
  return true;
}

}  // namespace cleave::exec::integer
