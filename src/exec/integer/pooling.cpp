#include "exec/integer/epilogue.h"
#include "exec/integer/lowerings.h"
#include "exec/integer/pooling_step.h"

namespace cleave::exec::integer {
namespace {

using graph::Node;

Window window_of(Compiler& compiler, const Node& node) {
  const Shape& in = compiler.shape(node.inputs[0]);
  const Shape kernel = node.op == "GlobalAveragePool" ? spatial_dims(in) : node.integers("kernel_shape");
  return pooling_window(node, in, compiler.shape(node.outputs[0]), kernel);
}

/// ceil_mode lets the last window hang over the padding; then runtimes differ in what counts.
bool hangs_over(const Window& w) {
  for (std::size_t i = 0; i < 3; ++i) {
    if ((w.output[i] - 1) * w.stride[i] + w.reach(i) > w.input[i] + w.pad_begin[i] + w.pad_end[i]) return true;
  }
  return false;
}

}  // namespace

bool lower_averaging(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const auto source = compiler.coded(node.inputs[0]);
  const auto grid = stored_grid(compiler, group.followers);
  const Shape& in = compiler.shape(node.inputs[0]);
  if (!source || !grid || in.size() < 3 || in.size() > 5) return false;
  if (source->grid.dtype != grid->dtype) return false;
  CodeAverage call{source->grid, *grid, window_of(compiler, node),
                   in[0],        in[1], node.integer("count_include_pad", 0) != 0};
  if (call.include_pad && hangs_over(call.window)) return false;
  const SlotId from = compiler.read(source->codes, Layout::kChannelsLast);
  const SlotId to = compiler.write(group.result(compiler.graph()), Layout::kChannelsLast);
  compiler.emit({std::make_unique<CodeAverageStep>(call, from, to), {from}, {to}, SlotId::kNone, 0, {}});
  return true;
}

}  // namespace cleave::exec::integer
