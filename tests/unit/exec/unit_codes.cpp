#include "unit_codes.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "exec/session.h"
#include "graph/builder.h"
#include "graph/onnx_write.h"
#include "support/ort.h"
#include "support/temporary_folder.h"

namespace cleave::exec::testing {

using graph::Graph;
using graph::Node;
using graph::TensorId;

namespace {

/// The tensors of 8-bit codes that activations are quantized to, in node order.
std::vector<TensorId> code_tensors(const Graph& graph) {
  std::vector<TensorId> codes;
  for (const Node& node : graph.nodes()) {
    if (node.op == "DequantizeLinear" && graph.constant(node.inputs[0]) == nullptr) codes.push_back(node.inputs[0]);
  }
  return codes;
}

/// The codes and network inputs that `id` is computed from.
std::set<TensorId> sources_of(const Graph& graph, TensorId id, const std::set<TensorId>& codes) {
  std::set<TensorId> sources;
  std::vector<TensorId> open = {id};
  while (!open.empty()) {
    const TensorId tensor = open.back();
    open.pop_back();
    if ((tensor != id && codes.contains(tensor)) || graph.is_input(tensor)) {
      sources.insert(tensor);
    } else if (const auto producer = graph.producer(tensor)) {
      for (const TensorId input : graph.node(*producer).inputs) {
        if (input != TensorId::kNone) open.push_back(input);
      }
    }
  }
  return sources;
}

bool computes_sigmoid(const Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const Node& n) { return n.op == "Sigmoid"; });
}

Tensor run_unit(const CodeUnit& unit, const std::map<std::string, Tensor>& codes, Kernels kernels) {
  std::vector<Tensor> values;
  for (const std::string& name : unit.inputs) values.push_back(codes.at(name));
  return Session(unit.graph, {kernels, 1}).run(values)[0];
}

}  // namespace

std::vector<CodeUnit> code_units(const Graph& quantized) {
  const std::vector<TensorId> codes = code_tensors(quantized);
  const std::set<TensorId> set(codes.begin(), codes.end());
  std::vector<CodeUnit> units;
  for (const TensorId id : codes) {
    std::vector<std::string> inputs;
    for (const TensorId source : sources_of(quantized, id, set)) inputs.push_back(quantized.tensor(source).name);
    const std::string& name = quantized.tensor(id).name;
    units.push_back({name, graph::extract(quantized, inputs, {name}), inputs});
  }
  return units;
}

std::map<std::string, Tensor> codes_in_ort(const Graph& quantized, const Tensor& input,
                                           const std::string& optimization) {
  graph::GraphBuilder builder(quantized);
  for (const TensorId id : code_tensors(quantized)) builder.output(id);
  const std::string name = quantized.tensor(quantized.inputs()[0]).name;
  const cleave::testing::TemporaryFolder folder;
  graph::save_onnx(builder.build(), folder / "codes.onnx");
  auto codes = cleave::testing::ort_run(folder / "codes.onnx", {{name, input}}, optimization);
  codes[name] = input;
  return codes;
}

CodeDifference code_difference(const Tensor& a, const Tensor& b) {
  CodeDifference result;
  const auto x = a.data<std::uint8_t>();
  const auto y = b.data<std::uint8_t>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const int distance = std::abs(static_cast<int>(x[i]) - static_cast<int>(y[i]));
    result.apart += distance > 0 ? 1 : 0;
    result.largest = std::max(result.largest, distance);
  }
  return result;
}

Tensor judged_codes(const CodeUnit& unit, const std::map<std::string, Tensor>& codes_in_ort) {
  return computes_sigmoid(unit.graph) ? run_unit(unit, codes_in_ort, Kernels::kReference) : codes_in_ort.at(unit.name);
}

Tensor fast_codes(const CodeUnit& unit, const std::map<std::string, Tensor>& codes_in_ort) {
  return run_unit(unit, codes_in_ort, Kernels::kFast);
}

}  // namespace cleave::exec::testing
