#include <numeric>

#include "exec/integer/epilogue.h"
#include "exec/integer/lowerings.h"
#include "exec/integer/resize_step.h"

namespace cleave::exec::integer {
namespace {

using graph::Node;

/// An axis that stays as it is.
AxisResampling unchanged(std::size_t axis, std::int64_t size) {
  AxisResampling same{axis, size, size, 1, std::vector<std::int64_t>(static_cast<std::size_t>(size)), {}, {}};
  std::iota(same.indices.begin(), same.indices.end(), std::int64_t{0});
  return same;
}

/// Only height and width change, by at most two taps each.
bool set_axes(CodeResize& call, const std::vector<AxisResampling>& axes, const Shape& in) {
  call.rows = unchanged(2, in[2]);
  call.columns = unchanged(3, in[3]);
  for (const AxisResampling& axis : axes) {
    if (axis.axis < 2 || axis.taps > 2) return false;
    (axis.axis == 2 ? call.rows : call.columns) = axis;
  }
  return true;
}

bool is_plain_resize(const Node& node) {
  const std::string mode = node.text("mode", "nearest");
  return (mode == "nearest" || mode == "linear") && node.integer("antialias", 0) == 0 &&
         node.text("coordinate_transformation_mode", "half_pixel") != "tf_crop_and_resize";
}

}  // namespace

bool lower_resize(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const auto source = compiler.coded(node.inputs[0]);
  const auto grid = stored_grid(compiler, group.followers);
  const auto inputs = constant_resize_inputs(node, compiler.facts().constant);
  const Shape& in = compiler.shape(node.inputs[0]);
  const Shape& out = compiler.shape(node.outputs[0]);
  if (!source || !grid || !inputs || in.size() != 4 || !is_plain_resize(node)) return false;
  if (source->grid.dtype != grid->dtype) return false;
  CodeResize call;
  if (!set_axes(call, resampled_axes(node, in, out, *inputs), in)) return false;
  call.from = source->grid;
  call.to = *grid;
  call.images = in[0];
  call.channels = in[1];
  const SlotId from = compiler.read(source->codes, Layout::kChannelsLast);
  const SlotId to = compiler.write(group.result(compiler.graph()), Layout::kChannelsLast);
  ScheduledStep step;
  step.reads = {from};
  step.writes = {to};
  step.step = std::make_unique<CodeResizeStep>(std::move(call), from, to);
  compiler.emit(std::move(step));
  return true;
}

}  // namespace cleave::exec::integer
