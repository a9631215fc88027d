#include "exec/integer/emit_sums.h"
#include "exec/integer/lowerings.h"
#include "exec/integer/own_convolution.h"
#include "exec/kernels/fast/dnnl_support.h"

namespace cleave::exec::integer {
namespace {

using dnnl::inner_product_forward;
using dnnl::memory;
using graph::Node;
using graph::TensorId;

/// y[M, N] = x[M, K] * w, w constant codes.
struct Product {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  std::size_t channel_axis = 0;  ///< 0: w lies as [N, K], 1: as [K, N]
  TensorId bias = TensorId::kNone;
};

/// A product of codes, as it was found in the graph.
struct IntegerProduct {
  Product sizes;
  TensorId result;
  CodedTensor source;
  WeightCodes weights;
  Epilogue epilogue;
};

bool emit_dnnl_product(Compiler& compiler, const IntegerProduct& product) {
  const Product& p = product.sizes;
  const CodeGrid& grid = product.source.grid;
  DnnlState& state = *compiler.dnnl();
  const Tensor bias = bias_of_sums(compiler, p.bias, grid.scale, product.weights, grid.zero_point,
                                   sum_codes(product.weights.codes, p.channel_axis));
  const memory::desc src = fast::describe({p.m, p.k}, Layout::kPlain, grid.dtype);
  const memory::desc dst = fast::describe({p.m, p.n}, Layout::kPlain, product.epilogue.dtype);
  const memory::desc any({p.n, p.k}, memory::data_type::s8, memory::format_tag::any);
  const memory::desc bias_desc = bias.empty() ? memory::desc() : fast::describe({p.n}, Layout::kPlain, bias.dtype());
  const inner_product_forward::desc operation(dnnl::prop_kind::forward_inference, src, any, bias_desc, dst);
  const auto descriptor = fast::fast_descriptor<inner_product_forward::primitive_desc>(
      operation, attributes_of(product.epilogue, 0), state.engine);
  if (!descriptor) return false;

  ScheduledStep step;
  step.reads.push_back(compiler.read(product.source.codes, Layout::kPlain));
  step.writes.push_back(compiler.write(product.result, Layout::kPlain));
  auto work = std::make_unique<fast::DnnlStep>(state, inner_product_forward(*descriptor));
  work->bind(DNNL_ARG_SRC, state, src, step.reads[0]);
  work->bind(DNNL_ARG_DST, state, dst, step.writes[0]);
  const memory::dims strides = p.channel_axis == 0 ? memory::dims{p.k, 1} : memory::dims{1, p.n};
  const memory::desc given({p.n, p.k}, memory::data_type::s8, strides);
  work->bind(DNNL_ARG_WEIGHTS, fast::reordered_weight(state, product.weights.codes, given, descriptor->weights_desc()));
  if (!bias.empty()) work->bind(DNNL_ARG_BIAS, fast::constant_memory(state, bias));
  work->bind_scratch(state, descriptor->scratchpad_desc());
  step.scratch_bytes = static_cast<std::int64_t>(descriptor->scratchpad_desc().get_size());
  step.step = std::move(work);
  compiler.emit(std::move(step));
  return true;
}

/// Weight codes as [N, K].
std::vector<std::int16_t> codes_by_output(const Tensor& codes, const Product& p) {
  const auto from = codes.data<std::int8_t>();
  std::vector<std::int16_t> to(from.begin(), from.end());
  if (p.channel_axis == 0) return to;
  for (std::int64_t n = 0; n < p.n; ++n) {
    for (std::int64_t k = 0; k < p.k; ++k) {
      to[static_cast<std::size_t>(n * p.k + k)] = from[static_cast<std::size_t>(k * p.n + n)];
    }
  }
  return to;
}

bool emit_own_product(Compiler& compiler, const IntegerProduct& product) {
  const Product& p = product.sizes;
  return emit_own_convolution(compiler, int8::product_shape(p.m, p.k, p.n),
                              {product.source, product.weights, codes_by_output(product.weights.codes, p), p.bias,
                               product.epilogue, Layout::kPlain, product.result});
}

bool emit_product(Compiler& compiler, const IntegerProduct& product) {
  const Product& p = product.sizes;
  if (p.m == 0 || p.n == 0 || p.k == 0) return false;
  const auto by = [&](auto emit) {
    return [&compiler, &product, emit](const Epilogue& epilogue, TensorId result) {
      return emit(compiler, {product.sizes, result, product.source, product.weights, epilogue});
    };
  };
  const Sums sums{product.source, product.weights, product.epilogue, Layout::kPlain, product.result};
  return emit_sums(compiler, sums, by(emit_dnnl_product), by(emit_own_product));
}

bool lower_product(Compiler& compiler, const Group& group, const Product& p) {
  const Node& node = group.node(compiler.graph());
  const auto source = compiler.coded(node.inputs[0]);
  const auto weights = weight_codes_of(compiler.graph(), compiler.facts().constant, node.inputs[1], p.channel_axis);
  if (!source || !weights) return false;
  const auto epilogue = epilogue_of(compiler, group.followers, sum_scales_of(source->grid, *weights));
  if (!epilogue || epilogue->addend != TensorId::kNone) return false;
  return emit_product(compiler, {p, group.result(compiler.graph()), *source, *weights, *epilogue});
}

bool is_bias(const Compiler& compiler, TensorId id, std::int64_t n) {
  const Tensor* bias = compiler.constant(id);
  return bias != nullptr && bias->dtype() == DType::kFloat32 && bias->elements() == n && !bias->shape().empty() &&
         bias->shape().back() == n;
}

}  // namespace

bool lower_gemm(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  if (node.integer("transA", 0) != 0 || node.number("alpha", 1.0F) != 1.0F) return false;
  Product p;
  p.channel_axis = node.integer("transB", 0) != 0 ? 0 : 1;
  p.m = compiler.shape(node.inputs[0])[0];
  p.k = compiler.shape(node.inputs[0])[1];
  p.n = compiler.shape(node.outputs[0])[1];
  p.bias = node.input(2);
  if (p.bias != TensorId::kNone && (!is_bias(compiler, p.bias, p.n) || node.number("beta", 1.0F) != 1.0F)) {
    return false;
  }
  return lower_product(compiler, group, p);
}

bool lower_matmul(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const Shape& in = compiler.shape(node.inputs[0]);
  const Shape& weight = compiler.shape(node.inputs[1]);
  if (weight.size() != 2 || in.empty() || in.back() == 0) return false;
  Product p;
  p.channel_axis = 1;
  p.k = in.back();
  p.n = weight[1];
  p.m = element_count(in) / p.k;
  for (const Follower& follower : group.followers) {
    if (follower.kind == Follower::Kind::kBias) p.bias = follower.addend;
  }
  return lower_product(compiler, group, p);
}

/// QLinearMatMul with constant weights: a, its scale and zero point, b, its own, y's.
bool lower_linear_matmul(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const auto& constant = compiler.facts().constant;
  const TensorId result = node.outputs[0];
  const Shape& in = compiler.shape(node.inputs[0]);
  const Shape& weight = compiler.shape(node.inputs[3]);
  const auto from = grid_of_parameters(constant, node.inputs[1], node.inputs[2], compiler.dtype(node.inputs[0]));
  const auto to = grid_of_parameters(constant, node.inputs[6], node.inputs[7], compiler.dtype(result));
  const auto weights = weight_codes_of(constant, {node.inputs[3], node.inputs[4], node.inputs[5]}, 1);
  if (!from || !to || !weights || weight.size() != 2 || in.empty() || in.back() == 0) return false;
  const Product p{element_count(in) / in.back(), weight[1], in.back(), 1, TensorId::kNone};
  const Epilogue epilogue = storing_on(*to, sum_scales_of(*from, *weights));
  return emit_product(compiler, {p, result, {node.inputs[0], *from}, *weights, epilogue});
}

}  // namespace cleave::exec::integer
