#include <algorithm>
#include <cmath>

#include "exec/kernels/fast/dnnl_support.h"
#include "exec/kernels/fast/lowerings.h"

namespace cleave::exec::fast {
namespace {

using dnnl::memory;
using graph::Node;
using graph::TensorId;

/// Below this many elements a plain loop beats a primitive's overhead.
constexpr std::int64_t kWorthwhile = 1024;

memory::desc flat(std::int64_t elements) {
  return describe({elements}, Layout::kPlain);
}

bool all_float(Compiler& compiler, const Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](TensorId id) { return compiler.dtype(id) == DType::kFloat32; });
}

/// A step with one descriptor; slots are bound by the caller.
template <typename Primitive, typename Descriptor>
std::unique_ptr<DnnlStep> start_step(Compiler& compiler, const Descriptor& descriptor, ScheduledStep& step) {
  DnnlState& state = *compiler.dnnl();
  auto work = std::make_unique<DnnlStep>(state, Primitive(descriptor));
  work->bind_scratch(state, descriptor.scratchpad_desc());
  step.scratch_bytes = static_cast<std::int64_t>(descriptor.scratchpad_desc().get_size());
  return work;
}

std::optional<dnnl::algorithm> binary_algorithm(const std::string& op) {
  using dnnl::algorithm;
  if (op == "Add" || op == "Sum") return algorithm::binary_add;
  if (op == "Sub") return algorithm::binary_sub;
  if (op == "Mul") return algorithm::binary_mul;
  if (op == "Div") return algorithm::binary_div;
  if (op == "Max") return algorithm::binary_max;
  if (op == "Min") return algorithm::binary_min;
  return std::nullopt;
}

/// The operands with the one of full shape first.
struct Operands {
  TensorId full;
  TensorId other;
};

std::optional<Operands> operands_of(Compiler& compiler, const Node& node) {
  const Shape& out = compiler.shape(node.outputs[0]);
  if (compiler.shape(node.inputs[0]) == out) return Operands{node.inputs[0], node.inputs[1]};
  const bool commutes = node.op != "Sub" && node.op != "Div";
  if (commutes && compiler.shape(node.inputs[1]) == out) return Operands{node.inputs[1], node.inputs[0]};
  return std::nullopt;
}

/// `shape` with ones in front up to `rank`.
Shape widened(Shape shape, std::size_t rank) {
  shape.insert(shape.begin(), rank - shape.size(), 1);
  return shape;
}

}  // namespace

bool lower_activation(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const auto activation = activation_of(node, compiler.facts());
  const std::int64_t count = element_count(compiler.shape(node.inputs[0]));
  if (!activation || compiler.dtype(node.inputs[0]) != DType::kFloat32 || count < kWorthwhile) return false;
  dnnl::post_ops ops;
  append_activation(ops, *activation);
  if (ops.len() != 1) return false;
  float scale = 1;
  float alpha = 0;
  float beta = 0;
  dnnl::algorithm how = dnnl::algorithm::undef;
  ops.get_params_eltwise(0, scale, how, alpha, beta);
  using dnnl::eltwise_forward;
  const eltwise_forward::desc operation(dnnl::prop_kind::forward_inference, how, flat(count), alpha, beta);
  const auto descriptor =
      fast_descriptor<eltwise_forward::primitive_desc>(operation, attributes(), compiler.dnnl()->engine);
  if (!descriptor) return false;
  const Layout layout = compiler.layout_at_hand(node.inputs[0]);
  ScheduledStep step;
  step.reads.push_back(compiler.read(node.inputs[0], layout));
  step.writes.push_back(compiler.write(node.outputs[0], layout));
  step.may_overwrite = step.reads[0];
  auto work = start_step<eltwise_forward>(compiler, *descriptor, step);
  work->bind(DNNL_ARG_SRC, *compiler.dnnl(), flat(count), step.reads[0]);
  work->bind(DNNL_ARG_DST, *compiler.dnnl(), flat(count), step.writes[0]);
  step.step = std::move(work);
  compiler.emit(std::move(step));
  return true;
}

bool lower_binary(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const auto how = binary_algorithm(node.op);
  const Shape& out = compiler.shape(node.outputs[0]);
  const auto ops = post_ops_of(group.followers);
  if (!how || !ops || node.inputs.size() != 2 || !all_float(compiler, node)) return false;
  if (element_count(out) < kWorthwhile || out.size() > 5) return false;
  const auto operands = operands_of(compiler, node);
  if (!operands) return false;
  const Layout layout = compiler.layout_at_hand(operands->full);
  const Shape other = widened(compiler.shape(operands->other), out.size());
  const bool same_shape = other == out;
  const bool turned = compiler.shape(operands->other).size() == out.size();
  // One channel or one pixel lies alike in both layouts, so a narrower operand can be read plain.
  if (!turned && canonical(Layout::kChannelsLast, other) != Layout::kPlain) return false;
  const memory::desc a = same_shape ? flat(element_count(out)) : describe(out, layout);
  const memory::desc b = same_shape ? a : describe(other, layout);
  using dnnl::binary;
  const auto descriptor =
      fast_descriptor<binary::primitive_desc>(binary::desc(*how, a, b, a), attributes(*ops), compiler.dnnl()->engine);
  if (!descriptor) return false;
  ScheduledStep step;
  step.reads.push_back(compiler.read(operands->full, layout));
  step.reads.push_back(compiler.read(operands->other, turned ? layout : Layout::kPlain));
  step.writes.push_back(compiler.write(group.result(compiler.graph()), layout));
  step.may_overwrite = step.reads[0];
  auto work = start_step<binary>(compiler, *descriptor, step);
  work->bind(DNNL_ARG_SRC_0, *compiler.dnnl(), a, step.reads[0]);
  work->bind(DNNL_ARG_SRC_1, *compiler.dnnl(), b, step.reads[1]);
  work->bind(DNNL_ARG_DST, *compiler.dnnl(), a, step.writes[0]);
  step.step = std::move(work);
  compiler.emit(std::move(step));
  return true;
}

}  // namespace cleave::exec::fast
