#include "exec/rounding.h"

#include <algorithm>

#include "core/check.h"
#include "core/error.h"
#include "exec/bias.h"
#include "exec/kernels/simd/kernels.h"
#include "graph/builder.h"

namespace cleave::exec {

using graph::Graph;
using graph::TensorId;
using graph::Unit;

void round_to_grid(std::span<float> values, const quant::AffineQuantizer& quantizer) {
  if (!quantizer.bits.quantized()) return;
  const simd::CodeRange range{quantizer.zero_point, 0, quantizer.bits.max_unsigned()};
  simd::kernels().f32.round_to_grid(values.data(), static_cast<std::int64_t>(values.size()), quantizer.scale, range,
                                    values.data());
}

ActivationRounder::ActivationRounder(const Graph& graph, const ActivationQuantizers& quantizers) {
  for (const auto& [name, quantizer] : quantizers) {
    const auto id = graph.find(name);
    if (!id || graph.is_input(*id) || graph.tensor(*id).dtype != DType::kFloat32) continue;
    edited_.push_back(*id);
    names_.push_back(name);
    grids_.push_back(quantizer);
  }
}

void ActivationRounder::set(const ActivationQuantizers& quantizers) {
  for (std::size_t i = 0; i < names_.size(); ++i) grids_[i] = quantizers.at(names_[i]);
}

void ActivationRounder::edit(TensorId tensor, std::span<float> values) {
  const auto found = std::find(edited_.begin(), edited_.end(), tensor);
  CLEAVE_CHECK(found != edited_.end(), "only what was asked for is handed over");
  round_to_grid(values, grids_[static_cast<std::size_t>(found - edited_.begin())]);
}

Graph with_rounded_weights(const Graph& graph, const QuantizationSpec& spec) {
  graph::GraphBuilder builder(graph);
  std::map<std::string, const Unit*> units;
  for (const Unit& unit : graph.units()) units[unit.name] = &unit;
  const auto unit_named = [&units](const std::string& name) -> const Unit& {
    const auto found = units.find(name);
    if (found != units.end() && found->second->weight != TensorId::kNone) return *found->second;
    throw Error(ErrorKind::kInvalidInput, "there is no unit '" + name + "' with weights");
  };
  for (const auto& [name, quantizer] : spec.weights) {
    if (!quantizer.bits.quantized()) continue;
    const Unit& unit = unit_named(name);
    const auto given = spec.weight_codes.find(name);
    const Tensor codes =
        given != spec.weight_codes.end() ? given->second : quant::weight_codes(*graph.constant(unit.weight), quantizer);
    const Tensor rounded = quant::dequantize_weights(codes, quantizer);
    builder.node_at(unit.main).inputs[1] = builder.constant(name + "::rounded_weight", rounded);
  }
  for (const Unit& unit : graph.units()) {
    if (!takes_bias(graph, unit)) continue;
    if (const auto coded = coded_bias(graph, unit, spec)) {
      set_bias(builder, unit, coded->value());
    } else if (const auto given = spec.biases.find(unit.name); given != spec.biases.end()) {
      set_bias(builder, unit, given->second);
    }
  }
  return builder.build();
}

Graph with_rounded_unit(const Graph& graph, const Unit& unit, const QuantizationSpec& spec) {
  QuantizationSpec one;
  one.activations = spec.activations;
  const auto copy = [&unit](const auto& from, auto& to) {
    if (const auto found = from.find(unit.name); found != from.end()) to.insert(*found);
  };
  copy(spec.weights, one.weights);
  copy(spec.weight_codes, one.weight_codes);
  copy(spec.biases, one.biases);
  return with_rounded_weights(graph, one);
}

}  // namespace cleave::exec
