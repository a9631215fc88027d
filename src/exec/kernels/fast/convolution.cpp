#include <algorithm>

#include "exec/kernels/fast/dnnl_support.h"
#include "exec/kernels/fast/geometry.h"
#include "exec/kernels/fast/lowerings.h"
#include "exec/kernels/fast/silu.h"
#include "exec/kernels/fast/winograd.h"

namespace cleave::exec::fast {
namespace {

using dnnl::memory;
using graph::Node;
using graph::TensorId;

memory::desc any_layout(const memory::dims& dims) {
  return {dims, memory::data_type::f32, memory::format_tag::any};
}

/// The tensor added by the group's residual sum, or kNone.
TensorId addend_of(const Group& group) {
  for (const Follower& follower : group.followers) {
    if (follower.kind == Follower::Kind::kSum) return follower.addend;
  }
  return TensorId::kNone;
}

bool applies(Compiler& compiler, const Node& node) {
  const std::size_t rank = compiler.shape(node.inputs[0]).size();
  if (rank < 3 || rank > 5 || compiler.constant(node.inputs[1]) == nullptr) return false;
  if (compiler.dtype(node.inputs[0]) != DType::kFloat32) return false;
  return node.input(2) == TensorId::kNone || compiler.constant(node.input(2)) != nullptr;
}

/// oneDNN 2.6's depthwise SSE4.1 kernel loads the addend in fours and so reads past the end of the tensor when the
/// channels do not divide by four (seen with the tensor in front of a guard page).
template <typename Descriptor>
bool reads_past_the_end(const Descriptor& descriptor, const Group& group, std::int64_t channels) {
  return addend_of(group) != TensorId::kNone && channels % 4 != 0 &&
         std::string(descriptor.impl_info_str()) == "jit_dw:sse41";
}

/// What both kinds of convolution share once the primitive is chosen.
template <typename Primitive, typename Descriptor>
void emit_convolution(Compiler& compiler, const Group& group, const Descriptor& descriptor, const Filters& filters) {
  DnnlState& state = *compiler.dnnl();
  const Node& node = group.node(compiler.graph());
  const TensorId result = group.result(compiler.graph());
  const TensorId addend = addend_of(group);
  ScheduledStep step;
  step.reads.push_back(compiler.read(node.inputs[0], Layout::kChannelsLast));
  if (addend != TensorId::kNone) {
    step.may_overwrite = compiler.read(addend, Layout::kChannelsLast);
    step.reads.push_back(step.may_overwrite);
  }
  step.writes.push_back(compiler.write(result, Layout::kChannelsLast));
  auto work = std::make_unique<DnnlStep>(state, Primitive(descriptor));
  work->bind(DNNL_ARG_SRC, state, descriptor.src_desc(), step.reads[0]);
  work->bind(DNNL_ARG_DST, state, descriptor.dst_desc(), step.writes[0]);
  const memory::desc given(filters.dims, memory::data_type::f32, filters.strides);
  work->bind(DNNL_ARG_WEIGHTS,
             reordered_weight(state, *compiler.constant(node.inputs[1]), given, descriptor.weights_desc()));
  if (node.input(2) != TensorId::kNone) {
    work->bind(DNNL_ARG_BIAS, constant_memory(state, *compiler.constant(node.input(2))));
  }
  work->bind_scratch(state, descriptor.scratchpad_desc());
  step.scratch_bytes = static_cast<std::int64_t>(descriptor.scratchpad_desc().get_size());
  if (addend != TensorId::kNone) {
    work->copy_first(step.may_overwrite, step.writes[0],
                     element_count(compiler.shape(result)) * static_cast<std::int64_t>(sizeof(float)));
  }
  step.step = std::move(work);
  compiler.emit(std::move(step));
}

memory::desc bias_description(Compiler& compiler, const Node& node) {
  if (node.input(2) == TensorId::kNone) return {};
  return any_layout({compiler.shape(node.outputs[0])[1]});
}

/// What a convolution applies itself: all but a SiLU at the end, which own code computes faster than oneDNN does.
std::vector<Follower> without_silu(const std::vector<Follower>& followers) {
  const bool silu = !followers.empty() && followers.back().kind == Follower::Kind::kActivation &&
                    followers.back().activation.function == Function::kSilu;
  return {followers.begin(), followers.end() - (silu ? 1 : 0)};
}

}  // namespace

bool lower_convolution(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  if (!applies(compiler, node)) return false;
  const std::vector<Follower> followers = without_silu(group.followers);
  const bool silu = followers.size() < group.followers.size();
  const auto ops = post_ops_of(followers);
  if (!ops) return false;
  const Shape& in = compiler.shape(node.inputs[0]);
  const Shape& out = compiler.shape(node.outputs[0]);
  const Window w = pooling_window(node, in, out, spatial_dims(compiler.shape(node.inputs[1])));
  const TensorId result = group.result(compiler.graph());
  if (lower_winograd(compiler, group, followers, w)) {
    if (silu) emit_silu(compiler, result);
    return true;
  }
  const Filters filters = conv_filters(compiler.shape(node.inputs[1]), node.integer("group", 1));
  const std::size_t rank = w.spatial_rank;
  using dnnl::convolution_forward;
  const convolution_forward::desc operation(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, describe(in, Layout::kChannelsLast),
      any_layout(filters.dims), bias_description(compiler, node), describe(out, Layout::kChannelsLast),
      tail(w.stride, rank), minus_one(tail(w.dilation, rank)), tail(w.pad_begin, rank), tail(w.pad_end, rank));
  const auto descriptor =
      fast_descriptor<convolution_forward::primitive_desc>(operation, attributes(*ops), compiler.dnnl()->engine);
  if (!descriptor || reads_past_the_end(*descriptor, group, out[1])) return false;
  emit_convolution<convolution_forward>(compiler, group, *descriptor, filters);
  if (silu) emit_silu(compiler, result);
  return true;
}

bool lower_transposed_convolution(Compiler& compiler, const Group& group) {
  const Node& node = group.node(compiler.graph());
  if (!applies(compiler, node)) return false;
  const auto ops = post_ops_of(group.followers);
  if (!ops) return false;
  const Shape& in = compiler.shape(node.inputs[0]);
  const Shape& out = compiler.shape(node.outputs[0]);
  Window w = transposed_window(node, in, out, spatial_dims(compiler.shape(node.inputs[1])));
  const std::size_t rank = w.spatial_rank;
  for (std::size_t i = 3 - rank; i < 3; ++i) {
    w.pad_end[i] = (w.input[i] - 1) * w.stride[i] + w.reach(i) - w.pad_begin[i] - w.output[i];
    if (w.pad_end[i] < 0) return false;  // output padding beyond the last tap
  }
  const Filters filters = transposed_filters(compiler.shape(node.inputs[1]), node.integer("group", 1));
  using dnnl::deconvolution_forward;
  const deconvolution_forward::desc operation(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::deconvolution_direct, describe(in, Layout::kChannelsLast),
      any_layout(filters.dims), bias_description(compiler, node), describe(out, Layout::kChannelsLast),
      tail(w.stride, rank), minus_one(tail(w.dilation, rank)), tail(w.pad_begin, rank), tail(w.pad_end, rank));
  const auto descriptor =
      fast_descriptor<deconvolution_forward::primitive_desc>(operation, attributes(*ops), compiler.dnnl()->engine);
  if (!descriptor) return false;
  emit_convolution<deconvolution_forward>(compiler, group, *descriptor, filters);
  return true;
}

}  // namespace cleave::exec::fast
