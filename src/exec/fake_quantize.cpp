#include "exec/fake_quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "exec/bias.h"
#include "exec/grid_nodes.h"
#include "graph/builder.h"

namespace cleave::exec {

using graph::Graph;
using graph::GraphBuilder;
using graph::Node;
using graph::NodeId;
using graph::TensorId;
using graph::Unit;
using quant::AffineQuantizer;

std::string codes_name(const std::string& tensor) {
  return tensor + "::codes";
}

std::string wire_codes_name(const std::string& tensor) {
  return tensor + "::wire_codes";
}

namespace {

Error invalid(const std::string& what) {
  return Error(ErrorKind::kInvalidInput, what);
}

/// Rewrites a copy of the graph; ids of tensors and nodes are those of the original throughout.
class Rewriter {
 public:
  Rewriter(const Graph& graph, const QuantizationSpec& spec) : graph_(graph), spec_(spec), builder_(graph) {}

  Graph run() {
    if (spec_.edge.on_edge.size() != graph_.units().size()) throw invalid("the cut belongs to another network");
    require_names();
    for (std::size_t u = 0; u < graph_.units().size(); ++u) {
      if (!spec_.edge.on_edge[u]) continue;
      rewrite_weights(graph_.units()[u]);
      rewrite_bias(graph_.units()[u]);
    }
    for (const TensorId id : edge_tensors()) rewrite_activation(id);
    return builder_.build();
  }

 private:
  /// How one tensor is seen on both sides.
  struct Plan {
    const AffineQuantizer* activation = nullptr;  ///< nullptr: float
    const AffineQuantizer* wire = nullptr;        ///< nullptr: not requantized
    std::vector<NodeId> edge_readers;
    std::vector<NodeId> cloud_readers;
    bool is_result = false;               ///< a network output that is made on the edge
    bool keeps_name_behind_edge = false;  ///< a(t)'s dequantized value is what the name stands for
    bool keeps_name_behind_wire = false;  ///< b(t)'s dequantized value is
  };

  void require_names() const {
    for (const auto* quantizers : {&spec_.activations, &spec_.wire}) {
      for (const auto& [name, quantizer] : *quantizers) require_quantizable(name, quantizer);
    }
    std::map<std::string, const Unit*> units;
    for (const Unit& unit : graph_.units()) units[unit.name] = &unit;
    for (const auto& [name, quantizer] : spec_.weights) {
      const auto found = units.find(name);
      if (found == units.end()) throw invalid("there is no unit '" + name + "' to quantize the weights of");
      if (found->second->weight == TensorId::kNone) throw invalid("unit '" + name + "' has no weights to quantize");
    }
    for (const auto& [name, bias] : spec_.biases) {
      const auto found = units.find(name);
      if (found == units.end() || !takes_bias(graph_, *found->second))
        throw invalid("unit '" + name + "' takes no bias");
    }
  }

  void require_quantizable(const std::string& name, const AffineQuantizer& quantizer) const {
    const auto id = graph_.find(name);
    if (!id) throw invalid("there is no tensor '" + name + "' to quantize");
    if (!quantizer.bits.quantized()) return;
    if (graph_.tensor(*id).dtype != DType::kFloat32) throw invalid("tensor '" + name + "' is not float32");
    if (quantizer.bits.count < 1 || quantizer.bits.count > 8) {
      throw invalid("tensor '" + name + "' cannot have " + std::to_string(quantizer.bits.count) +
                    " bits; 1 to 8 or 32 can be exported");
    }
  }

  /// Tensors that may be quantized: network inputs, then outputs of edge units in schedule order.
  std::vector<TensorId> edge_tensors() const {
    std::vector<TensorId> tensors(graph_.inputs().begin(), graph_.inputs().end());
    for (std::size_t u = 0; u < graph_.units().size(); ++u) {
      const Unit& unit = graph_.units()[u];
      if (spec_.edge.on_edge[u]) tensors.insert(tensors.end(), unit.outputs.begin(), unit.outputs.end());
    }
    return tensors;
  }

  bool on_edge(NodeId id) const { return spec_.edge.on_edge[index(graph_.unit_of(id))]; }

  static const AffineQuantizer* find(const std::map<std::string, AffineQuantizer>& quantizers,
                                     const std::string& name) {
    const auto found = quantizers.find(name);
    return found == quantizers.end() || !found->second.bits.quantized() ? nullptr : &found->second;
  }

  Plan plan_for(TensorId id) const {
    const std::string& name = graph_.tensor(id).name;
    Plan plan;
    plan.activation = find(spec_.activations, name);
    plan.wire = find(spec_.wire, name);
    for (const NodeId reader : graph_.consumers(id)) {
      (on_edge(reader) ? plan.edge_readers : plan.cloud_readers).push_back(reader);
    }
    const bool made_here = graph_.producer(id).has_value();
    plan.is_result = made_here && graph_.is_output(id);
    plan.keeps_name_behind_wire = plan.is_result && spec_.results_cross && plan.wire != nullptr;
    const bool crosses_float = spec_.wire.contains(name) && plan.wire == nullptr;
    plan.keeps_name_behind_edge =
        made_here && plan.activation != nullptr && !plan.keeps_name_behind_wire && (plan.is_result || crosses_float);
    return plan;
  }

  void rewrite_activation(TensorId id) {
    const Plan plan = plan_for(id);
    if (plan.activation == nullptr && plan.wire == nullptr) return;
    const std::string name = graph_.tensor(id).name;
    TensorId value = float_source(id, plan);
    const bool crosses_as_given = plan.wire == nullptr && graph_.is_input(id);
    if (plan.activation != nullptr) {
      value = add_quantizer(builder_, value, *plan.activation, codes_name(name),
                            plan.keeps_name_behind_edge ? name : name + "::dequantized");
      redirect(plan.edge_readers, id, value);
    } else if (plan.keeps_name_behind_wire) {
      redirect(plan.edge_readers, id, value);
    }
    if (crosses_as_given) return;
    if (plan.wire != nullptr) {
      value = add_quantizer(builder_, value, *plan.wire, wire_codes_name(name),
                            plan.keeps_name_behind_wire ? name : name + "::wire_dequantized");
    }
    redirect(plan.cloud_readers, id, value);
  }

  /// The tensor that the first quantizer reads: t, t under another name when the name is needed behind it, or the input
  /// of an activation function that the quantizer makes superfluous.
  TensorId float_source(TensorId id, const Plan& plan) {
    const AffineQuantizer& first = plan.activation != nullptr ? *plan.activation : *plan.wire;
    const bool only_quantized =
        plan.activation != nullptr || (plan.edge_readers.empty() && (!plan.is_result || plan.keeps_name_behind_wire));
    if (only_quantized) {
      if (const auto before = source_of_redundant_activation(id, first)) {
        builder_.remove_node(*graph_.producer(id));
        return *before;
      }
    }
    if (!plan.keeps_name_behind_edge && !plan.keeps_name_behind_wire) return id;
    const TensorId renamed = tensor_like(builder_, id, graph_.tensor(id).name + "::float", DType::kFloat32);
    Node& producer = builder_.node_at(*graph_.producer(id));
    std::replace(producer.outputs.begin(), producer.outputs.end(), id, renamed);
    return renamed;
  }

  /// The input of the Relu or Clip that ends a unit in `id`, when clamping to its bounds changes no code: the codes of
  /// both bounds are the ends of the grid, and codes grow with the value.
  std::optional<TensorId> source_of_redundant_activation(TensorId id, const AffineQuantizer& quantizer) const {
    const auto producer = graph_.producer(id);
    if (!producer || graph_.unit(graph_.unit_of(*producer)).nodes.size() < 2) return std::nullopt;
    const Node& node = graph_.node(*producer);
    float low = -std::numeric_limits<float>::infinity();
    float high = std::numeric_limits<float>::infinity();
    if (node.op == "Relu") {
      low = 0;
    } else if (node.op != "Clip" || !read_bound(node.input(1), low) || !read_bound(node.input(2), high)) {
      return std::nullopt;
    }
    const bool superfluous = (std::isinf(low) || quantizer.code(low) == 0) &&
                             (std::isinf(high) || quantizer.code(high) == quantizer.bits.max_unsigned());
    return superfluous && low <= high ? std::optional(node.inputs[0]) : std::nullopt;
  }

  /// False when the bound is there but not known.
  bool read_bound(TensorId id, float& bound) const {
    if (id == TensorId::kNone) return true;
    const Tensor* value = graph_.constant(id);
    if (value == nullptr || value->dtype() != DType::kFloat32 || value->elements() != 1) return false;
    bound = value->data<float>()[0];
    return true;
  }

  void redirect(const std::vector<NodeId>& readers, TensorId from, TensorId to) {
    for (const NodeId reader : readers) {
      auto& inputs = builder_.node_at(reader).inputs;
      std::replace(inputs.begin(), inputs.end(), from, to);
    }
  }

  void rewrite_weights(const Unit& unit) {
    const auto found = spec_.weights.find(unit.name);
    if (found == spec_.weights.end() || !found->second.bits.quantized()) return;
    const quant::WeightQuantizer& quantizer = found->second;
    const auto given = spec_.weight_codes.find(unit.name);
    const Tensor codes = given != spec_.weight_codes.end()
                             ? given->second
                             : quant::weight_codes(*graph_.constant(unit.weight), quantizer);
    builder_.node_at(unit.main).inputs[1] =
        add_dequantized(builder_, codes, quantizer.scales, quantizer.axis, unit.name + "::weight");
  }

  void rewrite_bias(const Unit& unit) {
    if (!takes_bias(graph_, unit)) return;
    const auto given = spec_.biases.find(unit.name);
    if (given != spec_.biases.end()) set_bias(builder_, unit, given->second);
    const auto coded = coded_bias(graph_, unit, spec_);
    if (!coded) return;
    builder_.node_at(unit.main).inputs[2] =
        add_dequantized(builder_, coded->codes, coded->scales, 0, unit.name + "::bias");
  }

  const Graph& graph_;
  const QuantizationSpec& spec_;
  GraphBuilder builder_;
};

}  // namespace

Graph fake_quantize(const Graph& graph, const QuantizationSpec& spec) {
  return Rewriter(graph, spec).run();
}

}  // namespace cleave::exec
