#include "exec/kernels/fast/dnnl_support.h"
#include "exec/kernels/fast/lowerings.h"

namespace cleave::exec::fast {
namespace {

using dnnl::inner_product_forward;
using dnnl::memory;
using graph::Node;
using graph::TensorId;

/// y[M, N] = x[M, K] * w + bias, w constant.
struct Product {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  bool transposed = false;  ///< w lies as [N, K]
  TensorId bias = TensorId::kNone;
};

bool emit_product(Compiler& compiler, const Group& group, const Product& p) {
  const auto ops = post_ops_of(group.followers);
  if (!ops || p.m == 0 || p.n == 0 || p.k == 0) return false;
  const Node& node = group.node(compiler.graph());
  DnnlState& state = *compiler.dnnl();
  const memory::desc any({p.n, p.k}, memory::data_type::f32, memory::format_tag::any);
  const memory::desc src = describe({p.m, p.k}, Layout::kPlain);
  const memory::desc dst = describe({p.m, p.n}, Layout::kPlain);
  const memory::desc bias = p.bias == TensorId::kNone ? memory::desc() : describe({p.n}, Layout::kPlain);
  const inner_product_forward::desc operation(dnnl::prop_kind::forward_inference, src, any, bias, dst);
  const auto descriptor =
      fast_descriptor<inner_product_forward::primitive_desc>(operation, attributes(*ops), state.engine);
  if (!descriptor) return false;
  ScheduledStep step;
  step.reads.push_back(compiler.read(node.inputs[0], Layout::kPlain));
  step.writes.push_back(compiler.write(group.result(compiler.graph()), Layout::kPlain));
  auto work = std::make_unique<DnnlStep>(state, inner_product_forward(*descriptor));
  work->bind(DNNL_ARG_SRC, state, src, step.reads[0]);
  work->bind(DNNL_ARG_DST, state, dst, step.writes[0]);
  const memory::dims strides = p.transposed ? memory::dims{p.k, 1} : memory::dims{1, p.n};
  const memory::desc given({p.n, p.k}, memory::data_type::f32, strides);
  work->bind(DNNL_ARG_WEIGHTS,
             reordered_weight(state, *compiler.constant(node.inputs[1]), given, descriptor->weights_desc()));
  if (p.bias != TensorId::kNone) {
    work->bind(DNNL_ARG_BIAS, constant_memory(state, compiler.constant(p.bias)->reshaped({p.n})));
  }
  work->bind_scratch(state, descriptor->scratchpad_desc());
  step.scratch_bytes = static_cast<std::int64_t>(descriptor->scratchpad_desc().get_size());
  step.step = std::move(work);
  compiler.emit(std::move(step));
  return true;
}

}  // namespace

bool lower_gemm(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  if (compiler.dtype(node.inputs[0]) != DType::kFloat32 || compiler.constant(node.inputs[1]) == nullptr) return false;
  if (node.integer("transA", 0) != 0 || node.number("alpha", 1.0f) != 1.0f) return false;
  Product p;
  p.transposed = node.integer("transB", 0) != 0;
  p.m = compiler.shape(node.inputs[0])[0];
  p.k = compiler.shape(node.inputs[0])[1];
  p.n = compiler.shape(node.outputs[0])[1];
  p.bias = node.input(2);
  if (p.bias != TensorId::kNone) {
    const Tensor* bias = compiler.constant(p.bias);
    if (bias == nullptr || bias->elements() != p.n || bias->shape().empty() || bias->shape().back() != p.n)
      return false;
    if (node.number("beta", 1.0f) != 1.0f) return false;
  }
  return emit_product(compiler, group, p);
}

bool lower_matmul(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const Tensor* weight = compiler.constant(node.inputs[1]);
  const Shape& in = compiler.shape(node.inputs[0]);
  if (weight == nullptr || weight->shape().size() != 2 || in.empty()) return false;
  if (weight->dtype() != DType::kFloat32) return false;
  Product p;
  p.k = in.back();
  p.n = weight->shape()[1];
  p.m = p.k == 0 ? 0 : element_count(in) / p.k;
  for (const Follower& follower : group.followers) {
    if (follower.kind == Follower::Kind::kBias) p.bias = follower.addend;
  }
  return emit_product(compiler, group, p);
}

}  // namespace cleave::exec::fast
