#include "exec/kernels/fast/dnnl_support.h"
#include "exec/kernels/fast/geometry.h"
#include "exec/kernels/fast/lowerings.h"

namespace cleave::exec::fast {
namespace {

using dnnl::algorithm;
using dnnl::memory;
using dnnl::pooling_v2_forward;
using graph::Node;
using graph::TensorId;

bool emit_pooling(Compiler& compiler, TensorId from, TensorId to, algorithm how, const Window& w) {
  const memory::desc in = describe(compiler.shape(from), Layout::kChannelsLast, compiler.dtype(from));
  const memory::desc out = describe(compiler.shape(to), Layout::kChannelsLast, compiler.dtype(to));
  DnnlState& state = *compiler.dnnl();
  const pooling_v2_forward::desc operation(
      dnnl::prop_kind::forward_inference, how, in, out, tail(w.stride, w.spatial_rank), tail(w.kernel, w.spatial_rank),
      minus_one(tail(w.dilation, w.spatial_rank)), tail(w.pad_begin, w.spatial_rank), tail(w.pad_end, w.spatial_rank));
  const auto descriptor = fast_descriptor<pooling_v2_forward::primitive_desc>(operation, attributes(), state.engine);
  if (!descriptor) return false;
  ScheduledStep step;
  step.reads.push_back(compiler.read(from, Layout::kChannelsLast));
  step.writes.push_back(compiler.write(to, Layout::kChannelsLast));
  auto work = std::make_unique<DnnlStep>(state, pooling_v2_forward(*descriptor));
  work->bind(DNNL_ARG_SRC, state, descriptor->src_desc(), step.reads[0]);
  work->bind(DNNL_ARG_DST, state, descriptor->dst_desc(), step.writes[0]);
  work->bind_scratch(state, descriptor->scratchpad_desc());
  step.scratch_bytes = static_cast<std::int64_t>(descriptor->scratchpad_desc().get_size());
  step.step = std::move(work);
  compiler.emit(std::move(step));
  return true;
}

/// MaxPool's second output, which oneDNN does not make.
bool wants_places(const Compiler& compiler, const Node& node) {
  if (node.outputs.size() < 2 || node.outputs[1] == TensorId::kNone) return false;
  const graph::Graph& graph = compiler.graph();
  return !graph.consumers(node.outputs[1]).empty() || graph.is_output(node.outputs[1]);
}

bool applies(Compiler& compiler, const Node& node) {
  const Shape& shape = compiler.shape(node.inputs[0]);
  if (wants_places(compiler, node)) return false;
  return compiler.dtype(node.inputs[0]) == DType::kFloat32 && shape.size() >= 3 && shape.size() <= 5 &&
         element_count(shape) > 0;
}

/// Makes the end padding what the output size needs (ceil_mode). Returns false when windows hang over the padding
/// in a way that oneDNN counts differently.
bool fit_end_padding(Window& w, bool include_pad) {
  for (std::size_t i = 3 - w.spatial_rank; i < 3; ++i) {
    const std::int64_t needed = (w.output[i] - 1) * w.stride[i] + w.reach(i) - w.input[i] - w.pad_begin[i];
    if (needed > w.pad_end[i] && include_pad) return false;
    w.pad_end[i] = std::max(w.pad_end[i], needed);
    if (w.pad_begin[i] >= w.reach(i) || w.pad_end[i] >= w.reach(i)) return false;
  }
  return true;
}

Window window_of(Compiler& compiler, const Node& node) {
  return pooling_window(node, compiler.shape(node.inputs[0]), compiler.shape(node.outputs[0]),
                        node.integers("kernel_shape"));
}

}  // namespace

bool max_pool_codes(Compiler& compiler, const Node& node, TensorId from, TensorId to) {
  const Shape& shape = compiler.shape(from);
  Window w = window_of(compiler, node);
  if (wants_places(compiler, node)) return false;
  if (shape.size() < 3 || shape.size() > 5 || !fit_end_padding(w, false)) return false;
  return emit_pooling(compiler, from, to, algorithm::pooling_max, w);
}

bool lower_pooling(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  if (!applies(compiler, node) || node.op == "LpPool") return false;
  Window w = window_of(compiler, node);
  const bool include_pad = node.integer("count_include_pad", 0) != 0;
  const bool average = node.op == "AveragePool";
  if (!fit_end_padding(w, average && include_pad)) return false;
  const algorithm mean = include_pad ? algorithm::pooling_avg_include_padding : algorithm::pooling_avg_exclude_padding;
  return emit_pooling(compiler, node.inputs[0], node.outputs[0], average ? mean : algorithm::pooling_max, w);
}

bool lower_global_pooling(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  if (!applies(compiler, node)) return false;
  const Shape& in = compiler.shape(node.inputs[0]);
  const Window w = pooling_window(node, in, compiler.shape(node.outputs[0]), spatial_dims(in));
  const bool average = node.op == "GlobalAveragePool";
  return emit_pooling(compiler, node.inputs[0], node.outputs[0],
                      average ? algorithm::pooling_avg_exclude_padding : algorithm::pooling_max, w);
}

}  // namespace cleave::exec::fast
