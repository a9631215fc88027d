#include <algorithm>
#include <nlohmann/json.hpp>

#include "bundle/bundle.h"
#include "bundle/halves.h"
#include "bundle/manifest.h"
#include "bundle/quantizers.h"
#include "bundle/tuned_quantizers.h"
#include "core/error.h"
#include "core/fingerprint.h"
#include "core/text.h"
#include "graph/builder.h"
#include "graph/prepare.h"
#include "quant/packing.h"

namespace cleave::bundle {

using graph::Cut;
using graph::Graph;
using graph::GraphBuilder;
using graph::TensorId;

namespace {

void require_feasible(const search::Plan& plan) {
  if (plan.status == search::Status::kOptimal || plan.status == search::Status::kFeasible) return;
  std::string what = "the plan is " + search::status_name(plan.status) + ": there is no cut to export";
  std::string hint = "Search again with looser limits.";
  if (plan.infeasibility) {
    hint = "Raise " + plan.infeasibility->tightest + " from " + Json(plan.infeasibility->allowed).dump() +
           " to at least " + Json(plan.infeasibility->needed).dump() + " and search again.";
  }
  throw Error(ErrorKind::kConstraint, what, hint);
}

void require_made_from(const search::Plan& plan, const char* key, const std::string& found, const char* what) {
  const auto recorded = plan.made_from.find(key);
  if (recorded != plan.made_from.end() && recorded->second == found) return;
  const std::string made = recorded == plan.made_from.end() ? "nothing" : recorded->second.substr(0, 12);
  throw Error(ErrorKind::kStale,
              std::string("the plan was made from another ") + what + " (it records " + made + ", this one is " +
                  found.substr(0, 12) + ")",
              std::string("Search again with this ") + what + ", or give the one that the plan was made from.");
}

void require_same_origin(const Graph& prepared, const search::Plan& plan, const quant::CalibrationTable& table) {
  const std::string graph = prepared.fingerprint();
  table.require_made_from(graph);
  require_made_from(plan, "model", graph, "network");
  require_made_from(plan, "calibration", table.fingerprint(), "calibration table");
}

/// The tensors that the cut makes cross, checked against what the plan says.
std::vector<std::string> crossing_of(const Graph& prepared, const Cut& cut, const search::Plan& plan) {
  if (!graph::is_down_closed(prepared, cut)) {
    throw Error(ErrorKind::kInvalidInput, "the plan's edge units are no cut: an edge unit reads what the cloud makes",
                "Search again; do not edit edge_units by hand.");
  }
  std::vector<std::string> names;
  for (const TensorId id : graph::crossing_tensors(prepared, cut, plan.result_at == "cloud")) {
    names.push_back(prepared.tensor(id).name);
  }
  std::vector<std::string> planned;
  for (const search::PlanCrossing& crossing : plan.crossing) planned.push_back(crossing.tensor);
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  std::sort(planned.begin(), planned.end());
  if (planned != sorted) {
    throw Error(ErrorKind::kInvalidInput,
                "the plan lists crossing tensors [" + join_text(planned, ", ") + "], but its edge units make [" +
                    join_text(sorted, ", ") + "] cross",
                "Search again; do not edit the plan's cut by hand.");
  }
  return names;
}

WireTensor wire_tensor(const Graph& prepared, const std::string& name, const exec::QuantizationSpec& spec) {
  const TensorId id = *prepared.find(name);
  WireTensor tensor;
  tensor.tensor = name;
  tensor.shape = prepared.tensor(id).shape;
  tensor.quantizer.bits = quant::Bits{32};
  if (const auto chosen = spec.wire.find(name); chosen != spec.wire.end()) tensor.quantizer = chosen->second;
  const std::int64_t elements = element_count(tensor.shape);
  if (tensor.quantizer.bits.quantized()) {
    tensor.port = GraphBuilder(prepared).free_name(name + "_packed");
    tensor.bytes = quant::wire_bytes(elements, tensor.quantizer.bits);
  } else {
    tensor.port = name;
    tensor.bytes = static_cast<std::int64_t>(storage_bytes(prepared.tensor(id).dtype, elements));
  }
  return tensor;
}

Interface make_interface(const Graph& prepared, const Cut& cut, const std::vector<std::string>& crossing,
                         const exec::QuantizationSpec& spec) {
  Interface interface;
  for (const std::string& name : crossing) interface.wire.push_back(wire_tensor(prepared, name, spec));
  for (const TensorId id : prepared.outputs()) {
    const auto producer = prepared.producer(id);
    const bool made_on_cloud = producer && !cut.on_edge[index(prepared.unit_of(*producer))];
    const bool sent = producer && spec.results_cross;
    (made_on_cloud || sent ? interface.cloud_results : interface.edge_results).push_back(prepared.tensor(id).name);
  }
  return interface;
}

/// True when `two` has the tensor of `one` with a leading 2 in place of the leading 1.
bool is_doubled(const Graph& one, const Graph& two, const std::string& name) {
  const auto a = one.find(name);
  const auto b = two.find(name);
  if (!a || !b) return false;
  Shape expected = one.tensor(*a).shape;
  if (expected.empty() || expected[0] != 1) return false;
  expected[0] = 2;
  return two.tensor(*b).shape == expected;
}

/// Whether the cloud side takes any number of samples: the batch is symbolic in the file, and the network prepared for
/// two samples has every crossing tensor and result twice as long. A file may say so and still have a batch of 1 baked
/// into a Reshape; then preparing for two fails, and the answer is no.
bool is_batchable(const graph::Model& model, const Graph& prepared, const Interface& interface) {
  if (!model.symbolic_batch()) return false;
  graph::PrepareOptions options;
  for (const TensorId id : prepared.inputs()) {
    Shape shape = prepared.tensor(id).shape;
    if (shape.empty() || shape[0] != 1) return false;
    shape[0] = 2;
    options.input_shapes[prepared.tensor(id).name] = shape;
  }
  try {
    const Graph two = graph::prepare(model, options);
    const auto doubled = [&](const std::string& name) { return is_doubled(prepared, two, name); };
    return std::all_of(interface.wire.begin(), interface.wire.end(),
                       [&](const WireTensor& wire) { return doubled(wire.tensor); }) &&
           std::all_of(interface.cloud_results.begin(), interface.cloud_results.end(), doubled);
  } catch (const Error&) {
    return false;
  }
}

Graph with_pairing(const Graph& graph, const Graph& model, const std::string& side, const std::string& pairing) {
  GraphBuilder builder(graph);
  for (const auto& [key, value] : model.metadata()) builder.set_metadata(key, value);
  builder.set_metadata("cleave.side", side);
  builder.set_metadata("cleave.pairing", pairing);
  return builder.build();
}

bool quantizes_nothing(const exec::QuantizationSpec& spec) {
  return spec.activations.empty() && spec.weights.empty() &&
         std::none_of(spec.wire.begin(), spec.wire.end(),
                      [](const auto& entry) { return entry.second.bits.quantized(); });
}

ChosenQuantizers no_quantizers(const Graph& prepared, const search::Plan& plan) {
  ChosenQuantizers chosen;
  chosen.spec.edge = cut_of(prepared, plan);
  chosen.spec.results_cross = plan.result_at == "cloud";
  return chosen;
}

ChosenQuantizers quantizers_for(const Graph& prepared, const search::Plan& plan, const quant::CalibrationTable& table,
                                const ExportOptions& options) {
  if (!options.quantize) return no_quantizers(prepared, plan);
  ChosenQuantizers chosen = choose_quantizers(prepared, plan, table);
  return options.tuned == nullptr ? chosen : tuned_quantizers(std::move(chosen), plan, table, *options.tuned);
}

/// The same for all files of one bundle, and for no other.
std::string pairing_of(const Graph& prepared, const search::Plan& plan, const ExportOptions& options) {
  Hasher hasher;
  hasher.add_text(plan.fingerprint())
      .add_text(prepared.fingerprint())
      .add_text(options.quantize ? "quantized" : "float");
  if (options.quantize && options.tuned != nullptr) hasher.add_text(options.tuned->fingerprint);
  return hasher.hex();
}

}  // namespace

exec::QuantizationSpec quantization_spec(const Graph& graph, const search::Plan& plan,
                                         const quant::CalibrationTable& table) {
  return choose_quantizers(graph, plan, table).spec;
}

SplitBundle make(const graph::Model& model, const Graph& prepared, const search::Plan& plan,
                 const quant::CalibrationTable& table, const ExportOptions& options) {
  require_feasible(plan);
  require_same_origin(prepared, plan, table);
  const Cut cut = cut_of(prepared, plan);
  const auto crossing = crossing_of(prepared, cut, plan);
  const ChosenQuantizers chosen = quantizers_for(prepared, plan, table, options);
  const Interface interface = make_interface(prepared, cut, crossing, chosen.spec);
  const FloatNetwork network = float_network(model.graph(), prepared, interface);

  SplitBundle bundle;
  bundle.wire = interface.wire;
  bundle.spec = chosen.spec;
  bundle.plan = plan;
  bundle.model_path = model.path();
  bundle.preprocess = std::make_shared<const Json>(parse_json(table.preprocess, "calibration table: preprocess"));
  bundle.batchable = !interface.wire.empty() && network.as_in_file && is_batchable(model, prepared, interface);
  if (options.quantize && options.tuned != nullptr) bundle.tuned = options.tuned->document;
  const std::string pairing = pairing_of(prepared, plan, options);
  const Graph edge = quantizes_nothing(chosen.spec) ? float_edge(network, prepared, interface)
                                                    : quantized_edge(prepared, chosen.spec, interface);
  bundle.edge = with_pairing(edge, model.graph(), "edge", pairing);
  if (!interface.wire.empty()) {
    bundle.cloud =
        with_pairing(cloud_half(network, prepared, interface, bundle.batchable), model.graph(), "cloud", pairing);
  }
  const Origin origin{model.sha256(), prepared.fingerprint(), plan.fingerprint(), pairing, prepared.opset()};
  bundle.manifest = std::make_shared<const Json>(make_manifest(origin, prepared, chosen, interface, bundle.batchable));
  return bundle;
}

}  // namespace cleave::bundle
