#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "exec/session.h"
#include "graph/builder.h"
#include "graph/model.h"
#include "graph/onnx_write.h"
#include "graph/prepare.h"
#include "quantized_network.h"
#include "support/ort.h"
#include "support/shared.h"
#include "support/temporary_folder.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::Node;
using graph::TensorId;

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

std::map<std::string, Tensor> codes_in_ort(const Graph& graph, const std::vector<TensorId>& codes,
                                           const Tensor& input) {
  graph::GraphBuilder builder(graph);
  for (const TensorId id : codes) builder.output(id);
  const cleave::testing::TemporaryFolder folder;
  graph::save_onnx(builder.build(), folder.path() / "codes.onnx");
  return cleave::testing::ort_run(folder.path() / "codes.onnx", {{graph.tensor(graph.inputs()[0]).name, input}}, "all");
}

struct Difference {
  std::int64_t apart = 0;
  int largest = 0;
};

Difference difference(const Tensor& a, const Tensor& b) {
  Difference result;
  const auto x = a.data<std::uint8_t>();
  const auto y = b.data<std::uint8_t>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const int distance = std::abs(static_cast<int>(x[i]) - static_cast<int>(y[i]));
    result.apart += distance > 0 ? 1 : 0;
    result.largest = std::max(result.largest, distance);
  }
  return result;
}

/// ONNX Runtime's Sigmoid is off by up to 1e-7 of the whole range, which is a good part of a code where all values are
/// small (yolox_nano's objectness): there the reference kernels judge.
bool computes_sigmoid(const Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const Node& n) { return n.op == "Sigmoid"; });
}

Tensor in_floats(const Graph& graph, const std::vector<Tensor>& inputs) {
  return Session(graph, {Kernels::kReference, 1}).run(inputs)[0];
}

class QuantizedModels : public ::testing::TestWithParam<const char*> {};

/// Every unit alone, on the codes that ONNX Runtime's integer kernels gave to what it reads.
TEST_P(QuantizedModels, GiveOnnxRuntimesCodesUnitByUnit) {
  CLEAVE_NEEDS_SHARED();
  CLEAVE_NEEDS_ORT();
  const auto path = cleave::testing::shared_dir() / "data/models" / (std::string(GetParam()) + ".onnx");
  const auto network = testing::quantize(graph::prepare(graph::Model::load(path)));
  const std::vector<TensorId> codes = code_tensors(network.graph);
  std::map<std::string, Tensor> known = codes_in_ort(network.graph, codes, network.input);
  known[network.graph.tensor(network.graph.inputs()[0]).name] = network.input;
  const std::set<TensorId> set(codes.begin(), codes.end());
  for (const TensorId id : codes) {
    const std::string& name = network.graph.tensor(id).name;
    std::vector<std::string> inputs;
    std::vector<Tensor> values;
    for (const TensorId source : sources_of(network.graph, id, set)) {
      inputs.push_back(network.graph.tensor(source).name);
      values.push_back(known.at(inputs.back()));
    }
    const Graph unit = graph::extract(network.graph, inputs, {name});
    const Tensor given = Session(unit).run(values)[0];
    const Difference d = difference(given, computes_sigmoid(unit) ? in_floats(unit, values) : known.at(name));
    EXPECT_LE(d.largest, 1) << name;
    EXPECT_LE(static_cast<double>(d.apart), std::max(1.0, 0.001 * static_cast<double>(given.elements()))) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, QuantizedModels,
                         ::testing::Values("mobilenet_v2_1.0_224", "nanodet_m", "resnet20_cifar10",
                                           "super_resolution_subpixel", "squeezenet1.1", "yolox_nano"));

}  // namespace
}  // namespace cleave::exec
