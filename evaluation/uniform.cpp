#include "evaluation/uniform.h"

#include <algorithm>
#include <regex>
#include <set>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "graph/units.h"

namespace cleave::evaluation {

namespace {

constexpr int kInputBits = 8;
constexpr int kOtherBits = 8;  // of tensors that are only added, pooled, ...

bool is_allowed(int bits) {
  return bits == 32 || (bits >= 2 && bits <= 8);
}

/// The first and the last unit with weights.
std::set<std::string> first_and_last(const graph::Graph& graph) {
  std::vector<std::string> weighted;
  for (const graph::Unit& unit : graph.units()) {
    if (unit.weight != graph::TensorId::kNone) weighted.push_back(unit.name);
  }
  if (weighted.empty()) return {};
  return {weighted.front(), weighted.back()};
}

/// Tensors that a unit with weights multiplies, as they are or moved (a pooled or reshaped tensor is the same numbers).
std::set<graph::TensorId> multiplied_tensors(const graph::Graph& graph) {
  std::set<graph::TensorId> multiplied;
  for (auto unit = graph.units().rbegin(); unit != graph.units().rend(); ++unit) {
    const bool hands_on = graph::moved_tensor(graph, *unit).has_value() &&
                          std::any_of(unit->outputs.begin(), unit->outputs.end(),
                                      [&](graph::TensorId id) { return multiplied.contains(id); });
    if (unit->weight == graph::TensorId::kNone && !hands_on) continue;
    multiplied.insert(unit->inputs.begin(), unit->inputs.end());
  }
  return multiplied;
}

bool is_quantizable(const graph::Graph& graph, graph::TensorId id) {
  return graph.tensor(id).dtype == DType::kFloat32 && !graph.consumers(id).empty();
}

}  // namespace

UniformOptions uniform_from_text(const std::string& text) {
  std::smatch match;
  UniformOptions options;
  if (std::regex_match(text, match, std::regex("[Ww]([0-9]{1,2})[Aa]([0-9]{1,2})"))) {
    options.weight_bits = std::stoi(match[1]);
    options.activation_bits = std::stoi(match[2]);
    if (is_allowed(options.weight_bits) && is_allowed(options.activation_bits)) return options;
  }
  throw Error(ErrorKind::kUsage, "--uniform '" + text + "' is not of the form W4A8",
              "Bits are 2 to 8, or 32 for unquantized.");
}

WeightsPer weights_per_from_text(const std::string& text) {
  if (text == "channel") return WeightsPer::kChannel;
  if (text == "tensor") return WeightsPer::kTensor;
  throw Error(
      ErrorKind::kUsage,
      "--weights-per '" + text + "' is not known" + did_you_mean(text, std::vector<std::string>{"channel", "tensor"}),
      "One of: channel, tensor.");
}

namespace {

quant::WeightQuantizer weights_of(const Tensor& weights, int axis, quant::Bits bits, const UniformOptions& options,
                                  quant::BitRule rule) {
  if (options.weights_per == WeightsPer::kTensor) {
    return quant::choose_tensor_weights(weights, axis, bits, options.clip).quantizer;
  }
  return quant::choose_weights(weights, axis, quant::allocate_bits(weights, axis, bits, rule), options.clip).quantizer;
}

}  // namespace

exec::QuantizationSpec uniform_spec(const graph::Graph& graph, const quant::CalibrationTable& table,
                                    const UniformOptions& options) {
  if (options.weights_per == WeightsPer::kTensor && options.channel_bits != quant::BitRule::kUniform) {
    throw Error(ErrorKind::kUsage, "--channel-bits needs --weights-per channel");
  }
  table.require_complete();
  exec::QuantizationSpec spec;
  spec.edge = graph::Cut::all(graph);
  const std::set<std::string> kept = options.keep_first_last_bits > 0 ? first_and_last(graph) : std::set<std::string>{};
  std::set<graph::TensorId> read_by_kept;
  for (const graph::Unit& unit : graph.units()) {
    const bool keep = kept.contains(unit.name);
    if (keep) read_by_kept.insert(unit.inputs.begin(), unit.inputs.end());
    const quant::Bits bits{keep ? options.keep_first_last_bits : options.weight_bits};
    if (unit.weight == graph::TensorId::kNone || !bits.quantized()) continue;
    const quant::BitRule rule = keep ? quant::BitRule::kUniform : options.channel_bits;
    spec.weights[unit.name] = weights_of(*graph.constant(unit.weight), unit.weight_axis, bits, options, rule);
  }
  const auto quantize = [&](graph::TensorId id, int bits) {
    if (bits == 32 || !is_quantizable(graph, id)) return;
    const std::string& name = graph.tensor(id).name;
    spec.activations[name] =
        quant::choose_activation(table.tensor(name).activation_values(), quant::Bits{bits}, options.clip).quantizer;
  };
  for (const graph::TensorId id : graph.inputs()) {
    quantize(id, options.activation_bits == 32 ? 32 : std::max(kInputBits, options.activation_bits));
  }
  const std::set<graph::TensorId> multiplied = multiplied_tensors(graph);
  for (const graph::Unit& unit : graph.units()) {
    for (const graph::TensorId id : unit.outputs) {
      const int bits =
          multiplied.contains(id) ? options.activation_bits : std::max(kOtherBits, options.activation_bits);
      quantize(id, read_by_kept.contains(id) ? options.keep_first_last_bits : bits);
    }
  }
  return spec;
}

}  // namespace cleave::evaluation
