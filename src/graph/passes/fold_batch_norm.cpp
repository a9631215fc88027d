// Batch normalization becomes part of the weights before it.
//
//     x ── Conv(W, b) ── y ── BatchNormalization(gamma, beta, mean, var) ── z
//
//     becomes     x ── Conv(W', b') ── z          for output channel o, in double precision:
//
//         k[o] = gamma[o] / sqrt(var[o] + epsilon)       W'[o] = k[o] W[o]       b'[o] = k[o] (b[o] - mean[o]) +
//         beta[o]
//
// The same for ConvTranspose (output channels: second axis within each group) and Gemm (columns of B; alpha stays,
// C' = k (beta_gemm C - mean) + beta with beta_gemm' = 1). Fires where all weights are constant float32 and nobody else
// sees y. The node keeps its name; the result keeps the name z.
#include <cmath>

#include "graph/passes/passes.h"

namespace cleave::graph {

namespace {

using Numbers = std::vector<double>;

std::optional<Numbers> numbers(const Graph& graph, TensorId id) {
  const Tensor* value = id == TensorId::kNone ? nullptr : graph.constant(id);
  if (value == nullptr || value->dtype() != DType::kFloat32) return std::nullopt;
  const auto data = value->data<float>();
  return Numbers(data.begin(), data.end());
}

/// z = scale * y + shift per channel.
struct Affine {
  Numbers scale;
  Numbers shift;
};

std::optional<Affine> affine_of(const Graph& graph, const Node& norm) {
  const auto gamma = numbers(graph, norm.input(1));
  const auto beta = numbers(graph, norm.input(2));
  const auto mean = numbers(graph, norm.input(3));
  const auto variance = numbers(graph, norm.input(4));
  if (!gamma || !beta || !mean || !variance) return std::nullopt;
  const std::size_t channels = gamma->size();
  if (beta->size() != channels || mean->size() != channels || variance->size() != channels) return std::nullopt;
  const double epsilon = norm.number("epsilon", 1e-5F);
  Affine affine;
  for (std::size_t c = 0; c < channels; ++c) {
    const double scale = (*gamma)[c] / std::sqrt((*variance)[c] + epsilon);
    if (!std::isfinite(scale)) return std::nullopt;
    affine.scale.push_back(scale);
    affine.shift.push_back((*beta)[c] - scale * (*mean)[c]);
  }
  return affine;
}

/// Element e of the weight belongs to output channel (e / inner) % period + group * period; period and inner by kind.
struct ChannelLayout {
  std::size_t inner = 1;               ///< elements between neighbours along the channel axis
  std::size_t period = 1;              ///< length of the channel axis
  std::size_t elements_per_group = 0;  ///< 0: the channel axis counts all channels

  std::size_t channel(std::size_t element) const {
    const std::size_t group = elements_per_group == 0 ? 0 : element / elements_per_group;
    return element / inner % period + group * period;
  }
};

std::size_t elements_from(const Shape& shape, std::size_t first) {
  std::size_t count = 1;
  for (std::size_t i = first; i < shape.size(); ++i) count *= static_cast<std::size_t>(shape[i]);
  return count;
}

std::optional<ChannelLayout> layout_of(const Node& node, const Shape& weight, std::size_t channels) {
  ChannelLayout layout;
  std::size_t groups = 1;
  if (weight.size() < 2 || elements_from(weight, 0) == 0) return std::nullopt;
  const bool rows = node.op == "Conv" || (node.op == "Gemm" && node.integer("transB", 0) != 0);
  if (node.op == "ConvTranspose") {
    const std::int64_t group = node.integer("group", 1);
    if (group < 1 || weight[0] % group != 0) return std::nullopt;
    groups = static_cast<std::size_t>(group);
    layout.elements_per_group = elements_from(weight, 0) / groups;
  }
  layout.inner = elements_from(weight, rows ? 1 : 2);
  layout.period = static_cast<std::size_t>(weight[rows ? 0 : 1]);
  if (layout.period * groups != channels) return std::nullopt;
  return layout;
}

Tensor scaled(const Tensor& weight, const ChannelLayout& layout, const Numbers& scale) {
  Tensor result(DType::kFloat32, weight.shape());
  const auto source = weight.data<float>();
  const auto target = result.mutable_data<float>();
  for (std::size_t e = 0; e < target.size(); ++e) {
    target[e] = static_cast<float>(static_cast<double>(source[e]) * scale[layout.channel(e)]);
  }
  return result;
}

/// The bias of each channel before normalization; empty when it is not known or not per channel.
std::optional<Numbers> bias_of(const Graph& graph, const Node& node, std::size_t channels) {
  if (node.input(2) == TensorId::kNone) return Numbers(channels, 0.0);
  auto bias = numbers(graph, node.input(2));
  if (!bias) return std::nullopt;
  const Shape& shape = graph.tensor(node.input(2)).shape;
  const bool one = bias->size() == 1;
  const bool per_channel =
      bias->size() == channels && !shape.empty() && shape.back() == static_cast<std::int64_t>(channels);
  if (!per_channel && !(node.op == "Gemm" && one)) return std::nullopt;
  if (one) bias->assign(channels, bias->front());
  const double factor = node.op == "Gemm" ? node.number("beta", 1.0F) : 1.0;
  for (double& value : *bias) value *= factor;
  return bias;
}

Tensor folded_bias(const Numbers& bias, const Affine& affine) {
  std::vector<float> values;
  for (std::size_t c = 0; c < bias.size(); ++c) {
    values.push_back(static_cast<float>(affine.scale[c] * bias[c] + affine.shift[c]));
  }
  return Tensor::from<float>({static_cast<std::int64_t>(values.size())}, values);
}

bool is_inference_norm(const Node& node) {
  return node.op == "BatchNormalization" && node.domain.empty() && node.integer("training_mode", 0) == 0 &&
         node.outputs.size() == 1 && node.input(0) != TensorId::kNone;
}

/// The node whose weights can take the normalization in.
std::optional<NodeId> weighted_producer(const Graph& graph, const Node& norm) {
  const auto producer = graph.producer(norm.inputs[0]);
  if (!producer || !only_reader(graph, norm.inputs[0])) return std::nullopt;
  const Node& node = graph.node(*producer);
  const bool weighted = node.op == "Conv" || node.op == "ConvTranspose" || node.op == "Gemm";
  const Tensor* weight = node.input(1) == TensorId::kNone ? nullptr : graph.constant(node.input(1));
  if (!weighted || !node.domain.empty() || weight == nullptr || weight->dtype() != DType::kFloat32) return std::nullopt;
  return producer;
}

}  // namespace

std::optional<Patch> fold_batch_norm(const Graph& graph, NodeId id) {
  const Node& norm = graph.node(id);
  if (!is_inference_norm(norm)) return std::nullopt;
  const auto producer = weighted_producer(graph, norm);
  const auto affine = affine_of(graph, norm);
  if (!producer || !affine) return std::nullopt;
  Node node = graph.node(*producer);
  const Tensor& weight = *graph.constant(node.input(1));
  const auto layout = layout_of(node, weight.shape(), affine->scale.size());
  const auto bias = bias_of(graph, node, affine->scale.size());
  if (!layout || !bias) return std::nullopt;

  Patch patch;
  const std::string& weight_name = graph.tensor(node.input(1)).name;
  patch.new_constants.emplace_back(weight_name + "_folded", scaled(weight, *layout, affine->scale));
  patch.new_constants.emplace_back(node.name + "_bias_folded", folded_bias(*bias, *affine));
  node.inputs.resize(3, TensorId::kNone);
  node.inputs[1] = Patch::pending(graph, 0);
  node.inputs[2] = Patch::pending(graph, 1);
  node.attributes.erase("beta");
  node.outputs = {norm.outputs.front()};
  patch.remove.push_back(id);
  patch.replace.emplace(*producer, std::move(node));
  return patch;
}

}  // namespace cleave::graph
