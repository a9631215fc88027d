#include <algorithm>
#include <tuple>

#include "exec/integer/emit_sums.h"
#include "exec/integer/lowerings.h"
#include "exec/integer/own_convolution.h"
#include "exec/kernels/fast/dnnl_support.h"
#include "exec/kernels/fast/geometry.h"

namespace cleave::exec::integer {
namespace {

using dnnl::convolution_forward;
using dnnl::memory;
using fast::Filters;
using graph::Node;
using graph::TensorId;

/// A convolution of codes, as it was found in the graph.
struct IntegerConvolution {
  const Node& node;
  TensorId result;
  CodedTensor source;
  WeightCodes weights;
  TensorId bias;
  Window window;
  Epilogue epilogue;
};

bool is_possible(Compiler& compiler, const IntegerConvolution& c) {
  const std::size_t rank = compiler.shape(c.source.codes).size();
  const bool known_bias = c.bias == TensorId::kNone || compiler.constant(c.bias) != nullptr;
  return rank >= 3 && rank <= 5 && known_bias && element_count(compiler.shape(c.result)) > 0;
}

Window window_of(Compiler& compiler, const Node& node, const WeightCodes& weights) {
  return pooling_window(node, compiler.shape(node.inputs[0]), compiler.shape(node.outputs[0]),
                        spatial_dims(weights.codes.shape()));
}

/// Conv between DequantizeLinear and QuantizeLinear.
std::optional<IntegerConvolution> convolution_of(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const auto source = compiler.coded(node.inputs[0]);
  const auto weights = weight_codes_of(compiler.graph(), compiler.facts().constant, node.inputs[1], 0);
  if (!source || !weights || compiler.shape(node.inputs[0]).size() < 3) return std::nullopt;
  auto epilogue = epilogue_of(compiler, group.followers, sum_scales_of(source->grid, *weights));
  if (!epilogue) return std::nullopt;
  return IntegerConvolution{node,
                            group.result(compiler.graph()),
                            *source,
                            *weights,
                            node.input(2),
                            window_of(compiler, node, *weights),
                            std::move(*epilogue)};
}

/// QLinearConv: x, its scale and zero point, w, its own, y's, bias.
std::optional<IntegerConvolution> linear_convolution_of(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  const auto& constant = compiler.facts().constant;
  const TensorId result = node.outputs[0];
  const auto from = grid_of_parameters(constant, node.inputs[1], node.inputs[2], compiler.dtype(node.inputs[0]));
  const auto to = grid_of_parameters(constant, node.inputs[6], node.inputs[7], compiler.dtype(result));
  const auto weights = weight_codes_of(constant, {node.inputs[3], node.inputs[4], node.inputs[5]}, 0);
  if (!from || !to || !weights || compiler.shape(node.inputs[0]).size() < 3) return std::nullopt;
  const CodedTensor source{node.inputs[0], *from};
  return IntegerConvolution{node,
                            result,
                            source,
                            *weights,
                            node.input(8),
                            window_of(compiler, node, *weights),
                            storing_on(*to, sum_scales_of(*from, *weights))};
}

bool is_padded(const Window& w) {
  const auto positive = [](std::int64_t pad) { return pad > 0; };
  return std::any_of(w.pad_begin.begin(), w.pad_begin.end(), positive) ||
         std::any_of(w.pad_end.begin(), w.pad_end.end(), positive);
}

memory::desc any_layout(const memory::dims& dims, DType dtype) {
  return {dims, fast::data_type_of(dtype), memory::format_tag::any};
}

std::optional<convolution_forward::primitive_desc> descriptor_of(Compiler& compiler, const IntegerConvolution& c,
                                                                 const Filters& filters, DType bias,
                                                                 std::int32_t source_zero_point) {
  const std::size_t rank = c.window.spatial_rank;
  const Shape& out = compiler.shape(c.result);
  const memory::desc bias_desc = bias == DType::kUndefined ? memory::desc() : any_layout({out[1]}, bias);
  const convolution_forward::desc operation(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
      fast::describe(compiler.shape(c.node.inputs[0]), Layout::kChannelsLast, c.source.grid.dtype),
      any_layout(filters.dims, DType::kInt8), bias_desc, fast::describe(out, Layout::kChannelsLast, c.epilogue.dtype),
      fast::tail(c.window.stride, rank), fast::minus_one(fast::tail(c.window.dilation, rank)),
      fast::tail(c.window.pad_begin, rank), fast::tail(c.window.pad_end, rank));
  return fast::fast_descriptor<convolution_forward::primitive_desc>(
      operation, attributes_of(c.epilogue, source_zero_point), compiler.dnnl()->engine);
}

/// Sizes for the own kernels: up to two spatial dimensions.
std::optional<int8::ConvolutionShape> own_shape(Compiler& compiler, const IntegerConvolution& c) {
  const Window& w = c.window;
  if (w.spatial_rank > 2) return std::nullopt;
  const Shape& in = compiler.shape(c.node.inputs[0]);
  int8::ConvolutionShape s;
  s.batch = in[0];
  s.channels = in[1];
  s.out_channels = compiler.shape(c.result)[1];
  s.groups = c.node.integer("group", 1);
  std::tie(s.height, s.width) = std::pair(w.input[1], w.input[2]);
  std::tie(s.out_height, s.out_width) = std::pair(w.output[1], w.output[2]);
  std::tie(s.kernel_height, s.kernel_width) = std::pair(w.kernel[1], w.kernel[2]);
  std::tie(s.stride_height, s.stride_width) = std::pair(w.stride[1], w.stride[2]);
  std::tie(s.dilation_height, s.dilation_width) = std::pair(w.dilation[1], w.dilation[2]);
  std::tie(s.pad_top, s.pad_left) = std::pair(w.pad_begin[1], w.pad_begin[2]);
  return s;
}

bool lower_to_own_kernel(Compiler& compiler, const IntegerConvolution& c) {
  const auto shape = own_shape(compiler, c);
  if (!shape) return false;
  const auto codes = c.weights.codes.data<std::int8_t>();
  return emit_own_convolution(
      compiler, *shape,
      {c.source, c.weights, {codes.begin(), codes.end()}, c.bias, c.epilogue, Layout::kChannelsLast, c.result});
}

bool lower_to_dnnl(Compiler& compiler, const IntegerConvolution& c) {
  DnnlState& state = *compiler.dnnl();
  // Without padding the zero point only shifts each channel's sum; oneDNN must know it where it pads.
  const std::int32_t zero_point = c.source.grid.zero_point;
  const std::int32_t known_zero_point = is_padded(c.window) ? zero_point : 0;
  const Tensor bias = bias_of_sums(compiler, c.bias, c.source.grid.scale, c.weights, zero_point - known_zero_point,
                                   sum_codes(c.weights.codes, 0));
  const Filters filters = fast::conv_filters(c.weights.codes.shape(), c.node.integer("group", 1));
  const auto descriptor = descriptor_of(compiler, c, filters, bias.dtype(), known_zero_point);
  if (!descriptor) return false;

  ScheduledStep step;
  step.reads.push_back(compiler.read(c.source.codes, Layout::kChannelsLast));
  if (c.epilogue.addend != TensorId::kNone) {
    step.may_overwrite = compiler.read(c.epilogue.addend, Layout::kChannelsLast);
    step.reads.push_back(step.may_overwrite);
  }
  step.writes.push_back(compiler.write(c.result, Layout::kChannelsLast));
  auto work = std::make_unique<fast::DnnlStep>(state, convolution_forward(*descriptor));
  work->bind(DNNL_ARG_SRC, state, descriptor->src_desc(), step.reads[0]);
  work->bind(DNNL_ARG_DST, state, descriptor->dst_desc(), step.writes[0]);
  const memory::desc given(filters.dims, memory::data_type::s8, filters.strides);
  work->bind(DNNL_ARG_WEIGHTS, fast::reordered_weight(state, c.weights.codes, given, descriptor->weights_desc()));
  if (!bias.empty()) work->bind(DNNL_ARG_BIAS, fast::constant_memory(state, bias));
  work->bind_scratch(state, descriptor->scratchpad_desc());
  step.scratch_bytes = static_cast<std::int64_t>(descriptor->scratchpad_desc().get_size());
  if (c.epilogue.addend != TensorId::kNone) {
    work->copy_first(step.may_overwrite, step.writes[0],
                     element_count(compiler.shape(c.result)) * static_cast<std::int64_t>(sizeof(float)));
  }
  step.step = std::move(work);
  compiler.emit(std::move(step));
  return true;
}

}  // namespace

bool lower_convolution(Compiler& compiler, const Group& group) {
  const bool linear = group.node(compiler.graph()).op == "QLinearConv";
  const auto c = linear ? linear_convolution_of(compiler, group) : convolution_of(compiler, group);
  if (!c || !is_possible(compiler, *c)) return false;
  const auto by = [&](auto lowering) {
    return [&compiler, &c, lowering](const Epilogue& epilogue, TensorId result) {
      IntegerConvolution call = *c;
      call.epilogue = epilogue;
      call.result = result;
      return lowering(compiler, call);
    };
  };
  const Sums sums{c->source, c->weights, c->epilogue, Layout::kChannelsLast, c->result};
  return emit_sums(compiler, sums, by(lower_to_dnnl), by(lower_to_own_kernel));
}

}  // namespace cleave::exec::integer
