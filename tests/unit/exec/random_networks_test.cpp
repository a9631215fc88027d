#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "exec/session.h"
#include "graph/model.h"
#include "graph/onnx_write.h"
#include "graph/prepare.h"
#include "quantized_network.h"
#include "random_network.h"
#include "random_tensor.h"
#include "support/ort.h"
#include "support/property.h"
#include "support/temporary_folder.h"
#include "unit_codes.h"

namespace cleave::exec::testing {
namespace {

constexpr double kTolerance = 1e-4;
/// Differences are measured against values of at least this size: below it they are rounding of larger ones.
constexpr double kSmallestRange = 1e-2;

rc::Gen<std::vector<Gene>> any_genes() {
  const auto number = rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::uint32_t>(0, 1U << 16));
  const auto gene = rc::gen::build<Gene>(rc::gen::set(&Gene::op, number), rc::gen::set(&Gene::source, number),
                                         rc::gen::set(&Gene::a, number), rc::gen::set(&Gene::b, number),
                                         rc::gen::set(&Gene::c, number));
  return rc::gen::scale(0.25, rc::gen::container<std::vector<Gene>>(gene));
}

/// max |a - b| over the larger of b's range, its largest value and kSmallestRange; infinite for NaN.
double difference(const Tensor& a, const Tensor& b) {
  double low = 0;
  double high = kSmallestRange;
  double largest = 0;
  for (std::size_t i = 0; i < b.data<float>().size(); ++i) {
    const double expected = b.data<float>()[i];
    const double apart = std::abs(a.data<float>()[i] - expected);
    if (std::isnan(apart)) return INFINITY;
    low = std::min(low, expected);
    high = std::max(high, expected);
    largest = std::max(largest, apart);
  }
  return largest / (high - low);
}

std::map<std::string, Tensor> inputs_of(const graph::Graph& graph) {
  std::map<std::string, Tensor> inputs;
  for (const graph::TensorId id : graph.inputs()) {
    inputs[graph.tensor(id).name] = random_floats(graph.tensor(id).shape, inputs.size() + 3, -1.5, 2);
  }
  return inputs;
}

void expect_like(const graph::Graph& graph, const std::map<std::string, Tensor>& inputs,
                 const std::map<std::string, Tensor>& expected, Kernels kernels, const std::string& network) {
  std::vector<Tensor> ordered;
  for (const graph::TensorId id : graph.inputs()) ordered.push_back(inputs.at(graph.tensor(id).name));
  const std::vector<Tensor> outputs = Session(graph, {kernels, 1}).run(ordered);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string& name = graph.tensor(graph.outputs()[i]).name;
    const Tensor& wanted = expected.at(name);
    RC_ASSERT(outputs[i].shape() == wanted.shape());
    const double found = difference(outputs[i], wanted);
    if (found > kTolerance) {
      RC_FAIL(name + " differs by " + std::to_string(found / kTolerance) + " times what is allowed, " +
              (kernels == Kernels::kFast ? "fast" : "reference") + " kernels\n" + network);
    }
  }
}

void agree_with_onnx_runtime(Start start) {
  const cleave::testing::TemporaryFolder folder;
  cleave::testing::expect_holds([&] {
    const graph::Graph network = random_network(*any_genes(), start);
    graph::save_onnx(network, folder / "network.onnx");
    const auto inputs = inputs_of(network);
    const auto expected = cleave::testing::ort_run(folder / "network.onnx", inputs);
    const graph::Graph prepared = graph::prepare(graph::Model::load(folder / "network.onnx"));
    expect_like(prepared, inputs, expected, Kernels::kFast, listing(network));
    expect_like(prepared, inputs, expected, Kernels::kReference, listing(network));
  });
}

TEST(RandomNetworks, OnImagesAgreeWithOnnxRuntime) {
  CLEAVE_NEEDS_ORT();
  agree_with_onnx_runtime(Start::kImage);
}

TEST(RandomNetworks, OnMatricesAgreeWithOnnxRuntime) {
  CLEAVE_NEEDS_ORT();
  agree_with_onnx_runtime(Start::kRows);
}

/// Elements seen over all random networks.
struct CodeCount {
  std::int64_t elements = 0;
  std::int64_t apart = 0;
};

/// In one unit up to a twentieth may be a code apart: interpolation half-way between two codes lands on ties.
void expect_codes_of(const QuantizedNetwork& network, CodeCount& count) {
  const auto codes = codes_in_ort(network.graph, network.input, "disabled");
  for (const CodeUnit& unit : code_units(network.graph)) {
    const Tensor given = fast_codes(unit, codes);
    const CodeDifference found = code_difference(given, judged_codes(unit, codes));
    count.elements += given.elements();
    count.apart += found.apart;
    if (found.largest > 1 || found.apart > std::max<std::int64_t>(4, given.elements() / 20)) {
      RC_FAIL(unit.name + ": " + std::to_string(found.apart) + " of " + std::to_string(given.elements()) +
              " codes differ, by up to " + std::to_string(found.largest) + "\n" + listing(unit.graph));
    }
  }
}

TEST(RandomNetworks, QuantizedGiveOnnxRuntimesCodesUnitByUnit) {
  CLEAVE_NEEDS_ORT();
  const cleave::testing::TemporaryFolder folder;
  CodeCount count;
  cleave::testing::expect_holds([&] {
    graph::save_onnx(random_network(*any_genes(), Start::kImage), folder / "network.onnx");
    const graph::Graph prepared = graph::prepare(graph::Model::load(folder / "network.onnx"));
    expect_codes_of(quantize(prepared, *rc::gen::element(8, 4)), count);
  });
  EXPECT_GT(count.elements, 100'000);
  EXPECT_LE(static_cast<double>(count.apart), 0.001 * static_cast<double>(count.elements));
}

}  // namespace
}  // namespace cleave::exec::testing
