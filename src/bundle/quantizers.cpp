#include "bundle/quantizers.h"

#include <algorithm>

#include "core/error.h"
#include "graph/units.h"
#include "quant/clip.h"
#include "quant/stable_scales.h"

namespace cleave::bundle {

using graph::Graph;
using graph::TensorId;
using graph::Unit;
using quant::AffineQuantizer;
using quant::Bits;

namespace {

/// Bits that a plan may ask for: 2 to 8, or 32 for unquantized. A plan can be edited by hand.
Bits exportable(int bits, const std::string& what) {
  if (bits == 32 || (bits >= 2 && bits <= 8)) return Bits{bits};
  throw Error(ErrorKind::kInvalidInput, "the plan gives " + what + " " + std::to_string(bits) + " bits",
              "Bits are 2 to 8, or 32 for unquantized. Search again; do not edit the plan by hand.");
}

class Chooser {
 public:
  Chooser(const Graph& graph, const search::Plan& plan, const quant::CalibrationTable& table)
      : graph_(graph), plan_(plan), table_(table), method_(quant::clip_method_from_name(plan.clip)) {}

  ChosenQuantizers run() {
    chosen_.spec.edge = cut_of(graph_, plan_);
    chosen_.spec.results_cross = plan_.result_at == "cloud";
    for (const TensorId id : graph_.inputs()) choose_activation(id, nullptr);
    for (std::size_t u = 0; u < graph_.units().size(); ++u) {
      if (chosen_.spec.edge.on_edge[u]) choose_unit(graph_.units()[u]);
    }
    return std::move(chosen_);
  }

 private:
  struct Choice {
    AffineQuantizer quantizer;
    std::string method;
  };

  void choose_unit(const Unit& unit) {
    for (const TensorId id : unit.outputs) choose_activation(id, &unit);
    const auto planned = plan_.units.find(unit.name);
    if (planned == plan_.units.end() || unit.weight == TensorId::kNone) return;
    if (planned->second.weight_bits == 0) return;
    const Bits bits = exportable(planned->second.weight_bits, "the weights of unit '" + unit.name + "'");
    if (!bits.quantized()) return;
    auto weights = quant::choose_weights(*graph_.constant(unit.weight), unit.weight_axis, bits, method_).quantizer;
    const AffineQuantizer* input = quantizer_of(graph_.node(unit.main).inputs[0]);
    const AffineQuantizer* output = unit.outputs.size() == 1 ? quantizer_of(unit.outputs[0]) : nullptr;
    const bool stable = input != nullptr && output != nullptr;
    chosen_.spec.weights[unit.name] =
        stable ? quant::stable_scales(std::move(weights), *input, *output, graph::negative_slope(graph_, unit))
               : std::move(weights);
  }

  /// The first quantizer behind a tensor: a(t), else b(t).
  const AffineQuantizer* quantizer_of(TensorId id) const {
    const std::string& name = graph_.tensor(id).name;
    for (const auto* quantizers : {&chosen_.spec.activations, &chosen_.spec.wire}) {
      const auto found = quantizers->find(name);
      if (found != quantizers->end() && found->second.bits.quantized()) return &found->second;
    }
    return nullptr;
  }

  void choose_activation(TensorId id, const Unit* maker) {
    const std::string& name = graph_.tensor(id).name;
    auto& spec = chosen_.spec;
    const auto decided = plan_.activation_bits.find(name);
    if (decided != plan_.activation_bits.end() && decided->second != 32) {
      const Choice choice = choose(name, exportable(decided->second, "tensor '" + name + "'"), maker);
      spec.activations[name] = choice.quantizer;
      chosen_.activation_methods[name] = choice.method;
    }
    const auto crossing = std::find_if(plan_.crossing.begin(), plan_.crossing.end(),
                                       [&name](const search::PlanCrossing& c) { return c.tensor == name; });
    if (crossing == plan_.crossing.end()) return;
    const Choice choice = choose_wire(name, exportable(crossing->bits, "crossing tensor '" + name + "'"), maker);
    spec.wire[name] = choice.quantizer;
    chosen_.wire_methods[name] = choice.method;
  }

  Choice choose_wire(const std::string& name, Bits bits, const Unit* maker) const {
    if (!bits.quantized()) return {AffineQuantizer{1, 0, bits}, "none"};
    const auto decided = chosen_.spec.activations.find(name);
    if (decided != chosen_.spec.activations.end() && decided->second.bits == bits) {
      return {decided->second, chosen_.activation_methods.at(name)};
    }
    return choose(name, bits, maker);
  }

  Choice choose(const std::string& name, Bits bits, const Unit* maker) const {
    if (const auto moved = maker == nullptr ? std::nullopt : graph::moved_tensor(graph_, *maker)) {
      const std::string& source = graph_.tensor(*moved).name;
      const auto quantizer = chosen_.spec.activations.find(source);
      if (quantizer != chosen_.spec.activations.end() && quantizer->second.bits == bits) {
        return {quantizer->second, "as " + source};
      }
    }
    const quant::ActivationChoice choice =
        quant::choose_activation(table_.tensor(name).activation_values(), bits, method_);
    return {within_clip(choice.quantizer, maker), std::string(quant::clip_method_name(choice.method))};
  }

  /// A grid that reaches beyond what the unit's Clip lets through ends at the bound instead (histogram bins are a
  /// little wider than the values in them). No value gets farther from the grid, and the Clip becomes superfluous.
  AffineQuantizer within_clip(AffineQuantizer quantizer, const Unit* maker) const {
    if (maker == nullptr || quantizer.zero_point != 0) return quantizer;
    const graph::Node& last = graph_.node(maker->nodes.back());
    const Tensor* high =
        last.op == "Clip" && last.input(2) != TensorId::kNone ? graph_.constant(last.input(2)) : nullptr;
    if (high == nullptr || high->dtype() != DType::kFloat32 || high->elements() != 1) return quantizer;
    const float bound = high->data<float>()[0] / static_cast<float>(quantizer.bits.max_unsigned());
    if (bound > 0) quantizer.scale = std::min(quantizer.scale, bound);
    return quantizer;
  }

  const Graph& graph_;
  const search::Plan& plan_;
  const quant::CalibrationTable& table_;
  quant::ClipMethod method_;
  ChosenQuantizers chosen_;
};

}  // namespace

graph::Cut cut_of(const Graph& graph, const search::Plan& plan) {
  graph::Cut cut = graph::Cut::none(graph);
  std::map<std::string, std::size_t> position;
  for (std::size_t u = 0; u < graph.units().size(); ++u) position[graph.units()[u].name] = u;
  for (const std::string& name : plan.edge_units) {
    const auto found = position.find(name);
    if (found == position.end()) {
      throw Error(ErrorKind::kStale, "the plan puts unit '" + name + "' on the edge, which this network does not have",
                  "Search again with this network.");
    }
    cut.on_edge[found->second] = true;
  }
  return cut;
}

ChosenQuantizers choose_quantizers(const Graph& graph, const search::Plan& plan, const quant::CalibrationTable& table) {
  return Chooser(graph, plan, table).run();
}

}  // namespace cleave::bundle
