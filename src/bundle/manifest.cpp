#include "bundle/manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "exec/spec_json.h"

namespace cleave::bundle {

using graph::Graph;
using graph::TensorId;
using quant::Bits;

namespace {

constexpr const char* kOrigin = "manifest.json";

Json activations_json(const ChosenQuantizers& chosen) {
  Json all = Json::object();
  for (const auto& [name, quantizer] : chosen.spec.activations) {
    all[name] = exec::quantizer_json(quantizer);
    all[name]["method"] = chosen.activation_methods.at(name);
  }
  return all;
}

Json weights_json(const exec::QuantizationSpec& spec) {
  Json all = Json::object();
  for (const auto& [unit, quantizer] : spec.weights) {
    Json scales = Json::array();
    for (const float scale : quantizer.scales) scales.push_back(static_cast<double>(scale));
    all[unit] = {{"bits", quantizer.bits.count},
                 {"axis", quantizer.axis},
                 {"granularity", "channel"},
                 {"scales", std::move(scales)}};
  }
  return all;
}

Json wire_json(const Interface& interface, const Graph& prepared, const ChosenQuantizers& chosen) {
  Json all = Json::array();
  for (const WireTensor& tensor : interface.wire) {
    const bool packed = tensor.quantizer.bits.quantized();
    Json row = exec::quantizer_json(tensor.quantizer);
    row["tensor"] = tensor.tensor;
    row["port"] = tensor.port;
    row["shape"] = tensor.shape;
    row["bytes"] = tensor.bytes;
    row["dtype"] = packed ? "uint8" : dtype_name(prepared.tensor(*prepared.find(tensor.tensor)).dtype);
    row["layout"] = packed ? "lut-groups" : "plain";
    const auto method = chosen.wire_methods.find(tensor.tensor);
    row["method"] = packed && method != chosen.wire_methods.end() ? method->second : "none";
    all.push_back(std::move(row));
  }
  return all;
}

Json tensor_json(const Graph& graph, TensorId id) {
  const graph::TensorInfo& info = graph.tensor(id);
  return {{"name", info.name}, {"dtype", dtype_name(info.dtype)}, {"shape", info.shape}};
}

Json outputs_json(const Graph& prepared, const Interface& interface) {
  Json all = Json::array();
  for (const TensorId id : prepared.outputs()) {
    Json row = tensor_json(prepared, id);
    const auto& edge = interface.edge_results;
    const bool on_edge = std::find(edge.begin(), edge.end(), prepared.tensor(id).name) != edge.end();
    row["side"] = on_edge ? "edge" : "cloud";
    all.push_back(std::move(row));
  }
  return all;
}

}  // namespace

Json make_manifest(const Origin& origin, const Graph& prepared, const ChosenQuantizers& chosen,
                   const Interface& interface, bool batchable) {
  Json manifest = make_document("manifest");
  manifest["model"] = {{"sha256", origin.model_sha256}, {"graph", origin.graph_fingerprint}, {"opset", origin.opset}};
  manifest["plan"] = origin.plan_fingerprint;
  manifest["pairing"] = origin.pairing;
  manifest["profile"] = "ort-cpu";
  manifest["batchable"] = batchable;
  manifest["results_cross"] = chosen.spec.results_cross;
  manifest["activations"] = activations_json(chosen);
  manifest["weights"] = weights_json(chosen.spec);
  manifest["wire"] = wire_json(interface, prepared, chosen);
  manifest["inputs"] = Json::array();
  for (const TensorId id : prepared.inputs()) manifest["inputs"].push_back(tensor_json(prepared, id));
  manifest["outputs"] = outputs_json(prepared, interface);
  return manifest;
}

std::vector<WireTensor> wire_from_manifest(const Json& manifest, const std::string& origin) {
  std::vector<WireTensor> wire;
  for (JsonReader& row : JsonReader(manifest, origin).objects("wire")) {
    WireTensor tensor;
    tensor.tensor = row.text("tensor");
    tensor.port = row.text("port");
    tensor.shape = row.integers("shape");
    tensor.bytes = row.integer("bytes");
    tensor.quantizer = exec::quantizer_from_json(row);
    wire.push_back(std::move(tensor));
  }
  return wire;
}

exec::QuantizationSpec spec_from_manifest(const Json& manifest, const Graph& graph, const search::Plan& plan) {
  exec::QuantizationSpec spec;
  spec.edge = cut_of(graph, plan);
  JsonReader reader(manifest, kOrigin);
  spec.results_cross = reader.boolean_or("results_cross", false);
  JsonReader activations = reader.object("activations");
  for (const auto& entry : activations.json().items()) {
    JsonReader row = activations.object(entry.key());
    spec.activations[entry.key()] = exec::quantizer_from_json(row);
  }
  JsonReader weights = reader.object("weights");
  for (const auto& entry : weights.json().items()) {
    JsonReader row = weights.object(entry.key());
    quant::WeightQuantizer& quantizer = spec.weights[entry.key()];
    quantizer.bits = Bits{static_cast<int>(row.integer("bits"))};
    quantizer.axis = static_cast<int>(row.integer("axis"));
    for (const double scale : row.numbers("scales")) quantizer.scales.push_back(static_cast<float>(scale));
  }
  for (const WireTensor& tensor : wire_from_manifest(manifest, kOrigin)) spec.wire[tensor.tensor] = tensor.quantizer;
  return spec;
}

std::vector<std::string> outputs_from_manifest(const Json& manifest, const std::string& origin) {
  std::vector<std::string> names;
  for (JsonReader& row : JsonReader(manifest, origin).objects("outputs")) names.push_back(row.text("name"));
  return names;
}

}  // namespace cleave::bundle
