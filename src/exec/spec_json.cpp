#include "exec/spec_json.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/base64.h"
#include "core/error.h"

namespace cleave::exec {

using graph::Graph;
using graph::TensorId;
using graph::Unit;
using quant::AffineQuantizer;
using quant::Bits;

static_assert(std::endian::native == std::endian::little, "floats are stored as they lie in memory");

Json quantizer_json(const AffineQuantizer& quantizer) {
  if (!quantizer.bits.quantized()) return {{"bits", 32}, {"scale", nullptr}, {"zero_point", nullptr}};
  return {{"bits", quantizer.bits.count},
          {"scale", static_cast<double>(quantizer.scale)},
          {"zero_point", quantizer.zero_point}};
}

AffineQuantizer quantizer_from_json(JsonReader& reader) {
  AffineQuantizer quantizer;
  quantizer.bits = Bits{static_cast<int>(reader.integer("bits"))};
  if (!quantizer.bits.quantized()) {
    reader.ignore("scale");
    reader.ignore("zero_point");
    return quantizer;
  }
  if (quantizer.bits.count < 1 || quantizer.bits.count > 8) {
    throw Error(ErrorKind::kInvalidInput, reader.path_of("bits") + ": must be 1 to 8, or 32");
  }
  quantizer.scale = static_cast<float>(reader.number("scale"));
  quantizer.zero_point = static_cast<std::int32_t>(reader.integer("zero_point"));
  if (!(quantizer.scale > 0) || quantizer.zero_point < 0 || quantizer.zero_point > quantizer.bits.max_unsigned()) {
    throw Error(ErrorKind::kInvalidInput, reader.where() + ": scale must be positive and zero_point a code");
  }
  return quantizer;
}

namespace {

Json quantizers_json(const std::map<std::string, AffineQuantizer>& quantizers) {
  Json all = Json::object();
  for (const auto& [name, quantizer] : quantizers) all[name] = quantizer_json(quantizer);
  return all;
}

std::string bytes_text(const Tensor& tensor) {
  return to_base64({reinterpret_cast<const char*>(tensor.raw().data()), tensor.bytes()});
}

Json weights_json(const std::string& unit, const quant::WeightQuantizer& quantizer, const QuantizationSpec& spec) {
  Json row = {{"axis", quantizer.axis}, {"bits", quantizer.bits.count}, {"scales", Json::array()}};
  for (const float scale : quantizer.scales) row["scales"].push_back(static_cast<double>(scale));
  if (const auto codes = spec.weight_codes.find(unit); codes != spec.weight_codes.end()) {
    row["codes"] = bytes_text(codes->second);
  }
  if (const auto bias = spec.biases.find(unit); bias != spec.biases.end()) row["bias"] = bytes_text(bias->second);
  return row;
}

/// Reads a spec of one graph.
class SpecReader {
 public:
  SpecReader(JsonReader reader, const Graph& graph) : reader_(std::move(reader)), graph_(graph) {
    for (const Unit& unit : graph.units()) units_[unit.name] = &unit;
  }

  QuantizationSpec read() {
    spec_.edge = graph::Cut::none(graph_);
    for (const std::string& name : reader_.texts("edge_units")) {
      spec_.edge.on_edge[static_cast<std::size_t>(&unit(name) - graph_.units().data())] = true;
    }
    spec_.results_cross = reader_.boolean_or("results_cross", false);
    read_quantizers("activations", spec_.activations);
    read_quantizers("wire", spec_.wire);
    JsonReader weights = reader_.object("weights");
    for (const auto& entry : weights.json().items()) read_weights(unit(entry.key()), weights.object(entry.key()));
    weights.finish();
    reader_.finish();
    return std::move(spec_);
  }

 private:
  const Unit& unit(const std::string& name) const {
    const auto found = units_.find(name);
    if (found != units_.end()) return *found->second;
    throw Error(ErrorKind::kStale, reader_.where() + ": this network has no unit '" + name + "'",
                "Tune this network again.");
  }

  void read_quantizers(const std::string& key, std::map<std::string, AffineQuantizer>& into) {
    JsonReader all = reader_.object(key);
    for (const auto& entry : all.json().items()) {
      JsonReader row = all.object(entry.key());
      if (!graph_.find(entry.key())) {
        throw Error(ErrorKind::kStale, row.where() + ": this network has no such tensor", "Tune this network again.");
      }
      into[entry.key()] = quantizer_from_json(row);
      row.finish();
    }
    all.finish();
  }

  void read_weights(const Unit& unit, JsonReader row) {
    if (unit.weight == TensorId::kNone) throw Error(ErrorKind::kStale, row.where() + ": this unit has no weights");
    const Shape& shape = graph_.tensor(unit.weight).shape;
    quant::WeightQuantizer& quantizer = spec_.weights[unit.name];
    quantizer.bits = Bits{static_cast<int>(row.integer("bits"))};
    quantizer.axis = static_cast<int>(row.integer("axis"));
    for (const double scale : row.numbers("scales")) quantizer.scales.push_back(static_cast<float>(scale));
    const bool known_bits = quantizer.bits.count >= 2 && (quantizer.bits.count <= 8 || quantizer.bits.count == 32);
    const bool has_axis = quantizer.axis >= 0 && quantizer.axis < static_cast<int>(shape.size());
    const auto channels = has_axis ? shape[static_cast<std::size_t>(quantizer.axis)] : 0;
    if (!known_bits || channels != static_cast<std::int64_t>(quantizer.scales.size())) {
      throw Error(ErrorKind::kInvalidInput, row.where() + ": bits, axis or the number of scales cannot be");
    }
    if (row.has("codes")) spec_.weight_codes[unit.name] = read_codes(row, shape, quantizer.grid());
    if (row.has("bias")) spec_.biases[unit.name] = read_bias(row, channels);
    row.finish();
  }

  static Tensor read_bytes(JsonReader& row, const std::string& key, DType dtype, const Shape& shape) {
    const auto bytes = from_base64(row.text(key));
    Tensor tensor(dtype, shape);
    if (!bytes || bytes->size() != tensor.bytes()) {
      throw Error(ErrorKind::kInvalidInput,
                  row.path_of(key) + ": is not " + std::to_string(tensor.bytes()) + " bytes in base64");
    }
    std::memcpy(tensor.mutable_raw().data(), bytes->data(), bytes->size());
    return tensor;
  }

  static Tensor read_codes(JsonReader& row, const Shape& shape, const quant::WeightGrid& grid) {
    Tensor codes = read_bytes(row, "codes", DType::kInt8, shape);
    for (const std::int8_t code : codes.data<std::int8_t>()) {
      if (code >= grid.min_code && code <= grid.max_code) continue;
      throw Error(ErrorKind::kInvalidInput, row.path_of("codes") + ": a code is outside of its bit-width");
    }
    return codes;
  }

  static Tensor read_bias(JsonReader& row, std::int64_t channels) {
    Tensor bias = read_bytes(row, "bias", DType::kFloat32, {channels});
    for (const float x : bias.data<float>()) {
      if (!std::isfinite(x)) throw Error(ErrorKind::kInvalidInput, row.path_of("bias") + ": is not finite");
    }
    return bias;
  }

  JsonReader reader_;
  const Graph& graph_;
  std::map<std::string, const Unit*> units_;
  QuantizationSpec spec_;
};

}  // namespace

Json spec_json(const Graph& graph, const QuantizationSpec& spec) {
  Json json;
  json["edge_units"] = Json::array();
  for (std::size_t u = 0; u < graph.units().size(); ++u) {
    if (spec.edge.on_edge[u]) json["edge_units"].push_back(graph.units()[u].name);
  }
  json["results_cross"] = spec.results_cross;
  json["activations"] = quantizers_json(spec.activations);
  json["wire"] = quantizers_json(spec.wire);
  json["weights"] = Json::object();
  for (const auto& [unit, quantizer] : spec.weights) json["weights"][unit] = weights_json(unit, quantizer, spec);
  return json;
}

QuantizationSpec spec_from_json(JsonReader reader, const Graph& graph) {
  return SpecReader(std::move(reader), graph).read();
}

}  // namespace cleave::exec
