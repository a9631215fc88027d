#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/error.h"
#include "exec/grid_nodes.h"
#include "exec/kernels/half.h"
#include "exec/precision.h"
#include "graph/builder.h"
#include "graph/prepare.h"
#include "quant/wide_grid.h"

namespace cleave::exec {

namespace {

using graph::Graph;
using graph::GraphBuilder;
using graph::Node;
using graph::NodeId;
using graph::TensorId;
using graph::Unit;

bool is_product(const Node& node) {
  static const std::set<std::string> kProducts = {"Conv", "ConvTranspose", "Gemm", "MatMul"};
  return node.domain.empty() && kProducts.contains(node.op);
}

/// Every float that comes out went in (or went in with the other sign).
bool only_chooses_values(const Node& node) {
  static const std::set<std::string> kOperators = {
      "Abs",      "Clip",         "Concat",  "DepthToSpace", "Expand", "Flatten",   "Gather",   "GlobalMaxPool",
      "Identity", "Max",          "MaxPool", "Min",          "Neg",    "Pad",       "Relu",     "Reshape",
      "Slice",    "SpaceToDepth", "Split",   "Squeeze",      "Tile",   "Transpose", "Unsqueeze"};
  return node.domain.empty() && kOperators.contains(node.op);
}

bool quantizes(const Node& node) {
  static const std::set<std::string> kOperators = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear",
                                                   "QLinearConv",    "QLinearMatMul",    "ConvInteger",
                                                   "MatMulInteger"};
  return kOperators.contains(node.op);
}

/// Sizes and thresholds, which are float32 whatever the data is.
bool is_parameter(const Node& node, std::size_t input) {
  if (node.op == "Resize") return input > 0;
  return node.op == "NonMaxSuppression" && input > 1;
}

void require_rewritable(const Graph& graph) {
  if (const auto reason = graph::why_not_cut(graph)) throw *reason;
  for (const Node& node : graph.nodes()) {
    if (!quantizes(node) && !node.has_subgraph()) continue;
    const char* why = quantizes(node) ? " belongs to a network that is quantized already" : " holds graphs of its own";
    throw Error(ErrorKind::kUnsupported, "node '" + node.name + "' (" + node.op + ")" + why,
                "Such a network runs as it is: force_float32.");
  }
}

class Rewriter {
 public:
  Rewriter(const Graph& graph, const PrecisionRow& row, const PrecisionRanges& ranges)
      : graph_(graph), row_(row), ranges_(ranges), builder_(graph), half_(graph.tensor_count(), false) {}

  Graph run() {
    if (row_.halves) round_to_halves();
    if (row_.code_bits > 0) {
      for (const Unit& unit : graph_.units()) {
        if (is_product(graph_.node(unit.main))) quantize(unit);
      }
    }
    return builder_.build();
  }

 private:
  bool is_float(TensorId id) const { return id != TensorId::kNone && graph_.tensor(id).dtype == DType::kFloat32; }

  // Halves.

  void round_to_halves() {
    for (std::size_t i = 0; i < graph_.tensor_count(); ++i) {
      const auto id = static_cast<TensorId>(i);
      if (graph_.constant(id) != nullptr && is_float(id)) round_constant(id);
    }
    for (const TensorId id : graph_.inputs()) {
      if (is_float(id)) round_input(id);
    }
    for (const Node& node : graph_.nodes()) {
      for (const TensorId id : node.outputs) {
        if (is_float(id)) round_result(node, id);
      }
    }
  }

  void round_constant(TensorId id) {
    half_[index(id)] = true;
    const auto readers = graph_.consumers(id);
    const bool parameter = std::any_of(readers.begin(), readers.end(), [&](NodeId reader) {
      const auto& inputs = graph_.node(reader).inputs;
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i] == id && is_parameter(graph_.node(reader), i)) return true;
      }
      return false;
    });
    if (parameter) return;
    Tensor rounded = graph_.constant(id)->clone();
    for (float& value : rounded.mutable_data<float>()) value = from_float16(to_float16(value));
    builder_.set_constant(id, std::move(rounded));
  }

  void round_input(TensorId id) {
    if (only_made_codes_of(id)) return;
    half_[index(id)] = true;
    const TensorId half = add_half_rounding(builder_, id, graph_.tensor(id).name + "::half");
    for (const NodeId reader : graph_.consumers(id)) replace_inputs(reader, id, half);
  }

  void round_result(const Node& node, TensorId id) {
    if (only_chooses_values(node) && all_half(node)) {
      half_[index(id)] = true;
      return;
    }
    if (only_made_codes_of(id) || is_rounded_behind_its_reader(id)) return;
    half_[index(id)] = true;
    const TensorId sums = tensor_like(builder_, id, graph_.tensor(id).name + "::float", DType::kFloat32);
    auto& outputs = builder_.node_at(*graph_.producer(id)).outputs;
    std::replace(outputs.begin(), outputs.end(), id, sums);
    add_half_rounding(builder_, sums, graph_.tensor(id).name);
  }

  bool all_half(const Node& node) const {
    return std::all_of(node.inputs.begin(), node.inputs.end(),
                       [&](TensorId id) { return !is_float(id) || half_[index(id)]; });
  }

  /// Relu, and Clip with constant bounds (halves by then), give the same halves of a value as of its rounding.
  bool is_rounded_behind_its_reader(TensorId id) const {
    if (graph_.is_output(id) || graph_.consumers(id).size() != 1) return false;
    const Node& reader = graph_.node(graph_.consumers(id)[0]);
    if (reader.inputs[0] != id) return false;
    if (reader.op == "Relu") return true;
    const auto settled = [&](TensorId bound) { return bound == TensorId::kNone || graph_.constant(bound) != nullptr; };
    return reader.op == "Clip" && settled(reader.input(1)) && settled(reader.input(2));
  }

  // Codes.

  /// Which inputs of a product are rounded to codes; the rest is bias.
  static bool is_factor(const Node& node, std::size_t input) { return is_product(node) && input < 2; }

  bool only_made_codes_of(TensorId id) const {
    if (row_.code_bits == 0 || graph_.is_output(id) || graph_.consumers(id).empty()) return false;
    const auto readers = graph_.consumers(id);
    return std::all_of(readers.begin(), readers.end(), [&](NodeId reader) {
      const Node& node = graph_.node(reader);
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        if (node.inputs[i] == id && !is_factor(node, i)) return false;
      }
      return true;
    });
  }

  void quantize(const Unit& unit) {
    const Node& node = graph_.node(unit.main);
    for (std::size_t i = 0; i < 2; ++i) {
      const TensorId id = node.inputs[i];
      if (!is_float(id) || (graph_.constant(id) != nullptr && id != unit.weight)) continue;
      const TensorId from = builder_.node_at(unit.main).inputs[i];
      builder_.node_at(unit.main).inputs[i] = id == unit.weight ? quantized_weight(unit) : quantized(id, from);
    }
  }

  /// `id` of the network, at hand as `from`, on its grid; made once.
  TensorId quantized(TensorId id, TensorId from) {
    const auto found = quantized_.find(id);
    if (found != quantized_.end()) return found->second;
    const std::string& name = graph_.tensor(id).name;
    const quant::TensorStatistics& seen = ranges_.table->tensor(name);
    TensorId result{};
    if (row_.code_bits == 16) {
      const bool any = seen.counts.min <= seen.counts.max;
      const double magnitude = any ? std::max(std::fabs(seen.counts.min), std::fabs(seen.counts.max)) : 0;
      result = add_wide_quantizer(builder_, from, quant::wide_step(magnitude), name + "::quantized");
    } else {
      const auto choice = quant::choose_activation(seen.activation_values(), quant::Bits{row_.code_bits}, ranges_.clip);
      result = add_quantizer(builder_, from, choice.quantizer, name + "::codes", name + "::quantized");
    }
    quantized_.emplace(id, result);
    return result;
  }

  TensorId quantized_weight(const Unit& unit) {
    const Tensor& weights = *graph_.constant(unit.weight);
    const std::string name = unit.name + "::weight";
    if (row_.code_bits == 16) return builder_.constant(name, quant::on_wide_grid(weights, unit.weight_axis));
    const auto quantizer =
        quant::choose_weights(weights, unit.weight_axis, quant::Bits{row_.code_bits}, ranges_.clip).quantizer;
    return add_dequantized(builder_, quant::weight_codes(weights, quantizer), quantizer.scales, quantizer.axis, name);
  }

  void replace_inputs(NodeId reader, TensorId from, TensorId to) {
    auto& inputs = builder_.node_at(reader).inputs;
    std::replace(inputs.begin(), inputs.end(), from, to);
  }

  const Graph& graph_;
  const PrecisionRow& row_;
  const PrecisionRanges& ranges_;
  GraphBuilder builder_;
  std::vector<bool> half_;  ///< by tensor: its values are halves
  std::map<TensorId, TensorId> quantized_;
};

}  // namespace

Graph with_precision(const Graph& graph, Precision precision, const PrecisionRanges& ranges) {
  const PrecisionRow& row = precision_row(precision);
  if (precision == Precision::kForceFloat32) return graph;
  require_rewritable(graph);
  if (row.code_bits > 0) {
    if (ranges.table == nullptr) {
      throw Error(ErrorKind::kInvalidInput, std::string(row.name) + " needs a calibration table",
                  "It says where the ranges of activations lie: cleave calibrate.");
    }
    ranges.table->require_made_from(graph.fingerprint());
  }
  return Rewriter(graph, row, ranges).run();
}

}  // namespace cleave::exec
