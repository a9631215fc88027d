#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "core/text.h"
#include "graph/cut.h"

namespace cleave::cli {

namespace {

Json tensor_json(const graph::TensorInfo& info) {
  return {{"dtype", dtype_name(info.dtype)}, {"shape", info.shape}};
}

Json interface_json(const graph::Graph& graph, std::span<const graph::TensorId> ids) {
  Json list = Json::array();
  for (const graph::TensorId id : ids) {
    Json json = tensor_json(graph.tensor(id));
    json["name"] = graph.tensor(id).name;
    list.push_back(std::move(json));
  }
  return list;
}

std::vector<std::string> names(const graph::Graph& graph, const std::vector<graph::TensorId>& ids) {
  std::vector<std::string> list;
  for (const graph::TensorId id : ids) list.push_back(graph.tensor(id).name);
  return list;
}

/// The prefixes of the schedule as cuts: what crosses after each unit.
struct PrefixCut {
  std::string after;
  std::vector<std::string> crossing;
  std::vector<std::string> results;  ///< network outputs made before the cut that do not cross
  std::int64_t elements = 0;
};

std::vector<std::string> results_before(const graph::Graph& graph, const graph::Cut& cut,
                                        const std::vector<graph::TensorId>& crossing) {
  std::vector<std::string> results;
  for (const graph::TensorId id : graph.outputs()) {
    const auto producer = graph.producer(id);
    const bool before = producer && cut.on_edge[index(graph.unit_of(*producer))];
    const bool crosses = std::find(crossing.begin(), crossing.end(), id) != crossing.end();
    if (before && !crosses) results.push_back(graph.tensor(id).name);
  }
  return results;
}

std::vector<PrefixCut> prefix_cuts(const graph::Graph& graph) {
  std::vector<PrefixCut> cuts;
  graph::Cut cut = graph::Cut::none(graph);
  for (std::size_t u = 0; u + 1 < graph.units().size(); ++u) {
    cut.on_edge[u] = true;
    const auto crossing = graph::crossing_tensors(graph, cut);
    PrefixCut prefix{graph.units()[u].name, names(graph, crossing), results_before(graph, cut, crossing), 0};
    for (const graph::TensorId id : crossing) prefix.elements += element_count(graph.tensor(id).shape);
    cuts.push_back(std::move(prefix));
  }
  return cuts;
}

struct Totals {
  std::int64_t macs = 0;
  std::int64_t weight_elements = 0;
};

Totals total(const graph::Graph& graph) {
  Totals totals;
  for (const graph::Unit& unit : graph.units()) {
    totals.macs += unit.macs;
    totals.weight_elements += unit.weight_elements;
  }
  return totals;
}

Json to_json(const Network& network) {
  const graph::Graph& graph = network.graph;
  Json document = make_document("inspect");
  document["model"] = {{"path", network.model.path()},
                       {"sha256", network.model.sha256()},
                       {"fingerprint", graph.fingerprint()},
                       {"opset", network.model.original_opset()},
                       {"ir_version", network.model.original_ir_version()}};
  document["inputs"] = interface_json(graph, graph.inputs());
  document["outputs"] = interface_json(graph, graph.outputs());
  document["units"] = Json::array();
  document["tensors"] = Json::object();
  const auto add_tensor = [&](graph::TensorId id) {
    Json json = tensor_json(graph.tensor(id));
    json["elements"] = element_count(graph.tensor(id).shape);
    document["tensors"][graph.tensor(id).name] = std::move(json);
  };
  for (const graph::TensorId id : graph.inputs()) add_tensor(id);
  for (const graph::Unit& unit : graph.units()) {
    document["units"].push_back({{"name", unit.name},
                                 {"op", unit.op},
                                 {"inputs", names(graph, unit.inputs)},
                                 {"outputs", names(graph, unit.outputs)},
                                 {"macs", unit.macs},
                                 {"weight_elements", unit.weight_elements}});
    for (const graph::TensorId id : unit.outputs) add_tensor(id);
  }
  document["cuts"] = Json::array();
  for (const PrefixCut& cut : prefix_cuts(graph)) {
    document["cuts"].push_back(
        {{"after", cut.after}, {"crossing", cut.crossing}, {"results", cut.results}, {"elements", cut.elements}});
  }
  const Totals totals = total(graph);
  document["totals"] = {
      {"macs", totals.macs}, {"weight_elements", totals.weight_elements}, {"units", graph.units().size()}};
  return document;
}

std::string to_table(const Network& network) {
  const graph::Graph& graph = network.graph;
  const auto cuts = prefix_cuts(graph);
  Table table({"unit", "op", "output", "MACs", "weights", "crossing after it"});
  for (std::size_t u = 0; u < graph.units().size(); ++u) {
    const graph::Unit& unit = graph.units()[u];
    std::string shape;
    for (const graph::TensorId id : unit.outputs)
      shape += (shape.empty() ? "" : ", ") + shape_text(graph.tensor(id).shape);
    const std::string crossing = u < cuts.size() ? std::to_string(cuts[u].crossing.size()) +
                                                       (cuts[u].crossing.size() == 1 ? " tensor, " : " tensors, ") +
                                                       grouped(cuts[u].elements) + " elements"
                                                 : "the result";
    table.row({unit.name, unit.op, shape, grouped(unit.macs), grouped(unit.weight_elements), crossing});
  }
  const Totals totals = total(graph);
  const auto single =
      std::count_if(cuts.begin(), cuts.end(), [](const PrefixCut& cut) { return cut.crossing.size() == 1; });
  return table.text() + "\n" + network.model.path() + ": opset " + std::to_string(network.model.original_opset()) +
         ", " + std::to_string(graph.units().size()) + " units, " + grouped(totals.macs) + " MACs, " +
         grouped(totals.weight_elements) + " weights, " + std::to_string(cuts.size()) + " cuts along the schedule (" +
         std::to_string(single) + " with a single tensor)\n";
}

}  // namespace

int run_inspect(const std::vector<std::string>& arguments) {
  CommandLine line("inspect", "Units, tensors, MACs, parameters and candidate cuts of a model.",
                   "  cleave inspect model.onnx\n  cleave inspect model.onnx --json");
  std::string model;
  std::vector<std::string> shapes;
  line.model(model);
  line.shapes(shapes);
  if (!line.parse(arguments)) return 0;

  const Network network = load_network(model, shapes);
  line.json() ? write_result(to_json(network)) : write_result(to_table(network));
  return 0;
}

}  // namespace cleave::cli
