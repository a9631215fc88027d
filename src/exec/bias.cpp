#include "exec/bias.h"

#include <cmath>
#include <limits>

namespace cleave::exec {

using graph::Graph;
using graph::Node;
using graph::TensorId;
using graph::Unit;

bool takes_bias(const Graph& graph, const Unit& unit) {
  const Node& main = graph.node(unit.main);
  if (unit.weight == TensorId::kNone || main.input(1) != unit.weight) return false;
  if (main.op == "Conv" || main.op == "ConvTranspose") return true;
  return main.op == "Gemm" && main.number("alpha", 1) == 1 && main.number("beta", 1) == 1;
}

void set_bias(graph::GraphBuilder& builder, const Unit& unit, const Tensor& bias) {
  auto& inputs = builder.node_at(unit.main).inputs;
  inputs.resize(3, TensorId::kNone);
  inputs[2] = builder.constant(unit.name + "::bias_given", bias);
}

const Tensor* bias_of(const Graph& graph, const Unit& unit, const QuantizationSpec& spec) {
  const auto given = spec.biases.find(unit.name);
  if (given != spec.biases.end()) return &given->second;
  const TensorId own = graph.node(unit.main).input(2);
  return own == TensorId::kNone ? nullptr : graph.constant(own);
}

Tensor CodedBias::value() const {
  Tensor bias(DType::kFloat32, codes.shape());
  const auto from = codes.data<std::int32_t>();
  const auto to = bias.mutable_data<float>();
  for (std::size_t c = 0; c < to.size(); ++c) to[c] = static_cast<float>(from[c]) * scales[c];
  return bias;
}

std::optional<CodedBias> coded_bias(const Graph& graph, const Unit& unit, const QuantizationSpec& spec) {
  if (!takes_bias(graph, unit) || graph.node(unit.main).op == "ConvTranspose") return std::nullopt;
  const Tensor* bias = bias_of(graph, unit, spec);
  const auto weights = spec.weights.find(unit.name);
  const auto input = spec.activations.find(graph.tensor(graph.node(unit.main).inputs[0]).name);
  if (bias == nullptr || weights == spec.weights.end() || input == spec.activations.end()) return std::nullopt;
  if (!weights->second.bits.quantized() || !input->second.bits.quantized()) return std::nullopt;
  const auto channels = static_cast<std::int64_t>(weights->second.scales.size());
  if (bias->shape() != Shape{channels}) return std::nullopt;
  CodedBias coded{Tensor(DType::kInt32, bias->shape()), {}};
  const auto from = bias->data<float>();
  const auto to = coded.codes.mutable_data<std::int32_t>();
  for (std::size_t c = 0; c < from.size(); ++c) {
    coded.scales.push_back(input->second.scale * weights->second.scales[c]);
    const double code = std::nearbyint(static_cast<double>(from[c]) / static_cast<double>(coded.scales[c]));
    if (!(std::fabs(code) <= std::numeric_limits<std::int32_t>::max())) return std::nullopt;
    to[c] = static_cast<std::int32_t>(code);
  }
  return coded;
}

}  // namespace cleave::exec
