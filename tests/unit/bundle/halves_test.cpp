#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "bundle/run_bundle.h"
#include "core/error.h"
#include "graph/builder.h"
#include "graph/onnx_write.h"
#include "graph/prepare.h"
#include "quant/packing.h"
#include "support/ort.h"
#include "support/temporary_folder.h"
#include "unit/bundle/fixtures.h"

namespace cleave::bundle {
namespace {

using cleave::testing::ort_run;
using cleave::testing::TemporaryFolder;
using graph::Cut;
using graph::Graph;
using graph::TensorId;
using testing::Case;
using testing::PlanBits;
using Named = std::map<std::string, Tensor>;

/// Edge, bytes, cloud in ONNX Runtime alone.
Named run_in_ort(const SplitBundle& bundle, const std::vector<Tensor>& inputs, const TemporaryFolder& folder,
                 const std::string& optimization = "disabled") {
  graph::save_onnx(bundle.edge, folder / "edge.onnx");
  Named results = ort_run(folder / "edge.onnx", testing::named_inputs(bundle.edge, inputs), optimization);
  if (!bundle.cloud) return results;
  graph::save_onnx(*bundle.cloud, folder / "cloud.onnx");
  for (auto& [name, tensor] :
       ort_run(folder / "cloud.onnx", testing::only_inputs(results, *bundle.cloud), optimization)) {
    results[name] = tensor;
  }
  return results;
}

Named run_graph(const Graph& graph, const Named& inputs, exec::Kernels kernels = exec::Kernels::kReference) {
  exec::Session session(graph::prepare(graph), {kernels, 1});
  std::vector<Tensor> values;
  for (const TensorId id : session.graph().inputs()) values.push_back(inputs.at(session.graph().tensor(id).name));
  const auto outputs = session.run(values);
  Named named;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    named[session.graph().tensor(session.graph().outputs()[i]).name] = outputs[i];
  }
  return named;
}

Named run_here(const SplitBundle& bundle, const std::vector<Tensor>& inputs) {
  Named results = run_graph(bundle.edge, testing::named_inputs(bundle.edge, inputs));
  if (!bundle.cloud) return results;
  for (auto& [name, tensor] : run_graph(*bundle.cloud, results)) results[name] = tensor;
  return results;
}

void expect_same_bits(const Named& got, const Named& expected) {
  for (const auto& [name, tensor] : expected) {
    const auto a = got.at(name).raw();
    const auto b = tensor.raw();
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end())) << name;
  }
}

/// Everything that must hold for a quantized bundle of any network.
void expect_bundle_works(const Case& test, const SplitBundle& bundle) {
  const TemporaryFolder folder;
  for (const auto& inputs : test.samples) {
    const Named theirs = run_in_ort(bundle, inputs, folder);
    const Named edge = run_graph(bundle.edge, testing::named_inputs(bundle.edge, inputs));
    testing::expect_codes_agree(bundle.wire, edge, theirs);
    if (!bundle.cloud) continue;
    const Named cloud = run_graph(*bundle.cloud, testing::only_inputs(theirs, *bundle.cloud));
    for (const auto& [name, tensor] : cloud) EXPECT_LE(testing::relative_error(tensor, theirs.at(name)), 1e-4) << name;
  }
}

TEST(Halves, RunInOnnxRuntimeAndHereAtEveryCutOfAChain) {
  CLEAVE_NEEDS_ORT();
  const Case test = testing::make_case(testing::chain_network(1), 1, 1);
  for (std::size_t units = 0; units <= test.prepared.units().size(); ++units) {
    expect_bundle_works(test, test.split(testing::prefix(test.prepared, units)));
  }
}

TEST(Halves, RunWithSeveralCrossingTensors) {
  CLEAVE_NEEDS_ORT();
  const Case test = testing::make_case(testing::residual_network(2), 2, 1);
  const Cut cut = graph::cut_at(test.prepared, {"a1_relu"});
  ASSERT_EQ(graph::crossing_tensors(test.prepared, cut).size(), 2U);
  for (const int wire : {2, 3, 7}) {
    const SplitBundle bundle = test.split(cut, {8, 8, wire, "anywhere"});
    EXPECT_EQ(bundle.wire.size(), 2U);
    expect_bundle_works(test, bundle);
  }
}

TEST(Halves, AgreeOnRandomNetworksAndBits) {
  CLEAVE_NEEDS_ORT();
  for (unsigned seed = 10; seed < 14; ++seed) {
    const Case test = testing::make_case(testing::residual_network(seed), seed, 1);
    const std::size_t units = 2 + seed % (test.prepared.units().size() - 2);
    const int bits = 2 + static_cast<int>(seed % 7);
    expect_bundle_works(test, test.split(testing::prefix(test.prepared, units), {bits, bits, 10 - bits, "anywhere"}));
  }
}

TEST(Halves, WithoutQuantizationGiveTheWholeBitForBit) {
  CLEAVE_NEEDS_ORT();
  for (const bool residual : {false, true}) {
    const Graph network = residual ? testing::residual_network(3) : testing::chain_network(3);
    const Case test = testing::make_case(network, 3, 1);
    const TemporaryFolder folder;
    graph::save_onnx(test.model.graph(), folder / "whole.onnx");
    const Named inputs = testing::named_inputs(test.prepared, test.samples[0]);
    const Named whole_ort = ort_run(folder / "whole.onnx", inputs);
    const Named whole_here = run_graph(test.model.graph(), inputs);
    for (std::size_t units = 0; units <= test.prepared.units().size(); units += 2) {
      const SplitBundle bundle = test.split(testing::prefix(test.prepared, units), {}, {false});
      expect_same_bits(run_in_ort(bundle, test.samples[0], folder), whole_ort);
      expect_same_bits(run_here(bundle, test.samples[0]), whole_here);
    }
  }
}

TEST(Halves, At32BitsCarryTheFloatTensorUnderItsOwnName) {
  const Case test = testing::make_case(testing::chain_network(4), 4, 1);
  const Cut cut = graph::cut_at(test.prepared, {"pool"});
  const SplitBundle bundle = test.split(cut, {8, 8, 32, "anywhere"});
  ASSERT_EQ(bundle.wire.size(), 1U);
  EXPECT_EQ(bundle.wire[0].port, "pool");
  EXPECT_EQ(bundle.cloud->tensor(bundle.cloud->inputs()[0]).dtype, DType::kFloat32);
  const auto is_lookup = [](const graph::Node& node) { return node.op == "Gather"; };
  const SplitBundle packed = test.split(cut, {8, 8, 4, "anywhere"});
  EXPECT_TRUE(std::any_of(packed.cloud->nodes().begin(), packed.cloud->nodes().end(), is_lookup));
  EXPECT_TRUE(std::none_of(bundle.cloud->nodes().begin(), bundle.cloud->nodes().end(), is_lookup));
  EXPECT_TRUE(bundle.edge.find("conv1::weight"));  // the edge itself stays quantized
}

TEST(Halves, WithoutEdgeUnitsOnlyPackTheInput) {
  const Case test = testing::make_case(testing::chain_network(5), 5, 1);
  const SplitBundle bundle = test.split(Cut::none(test.prepared), {8, 8, 6, "anywhere"});
  const std::vector<std::uint8_t> codes = [&] {
    std::vector<std::uint8_t> list;
    for (const float x : test.samples[0][0].data<float>()) list.push_back(bundle.wire[0].quantizer.code(x));
    return list;
  }();
  const Named edge = run_graph(bundle.edge, testing::named_inputs(bundle.edge, test.samples[0]));
  const auto bytes = edge.at("x_packed").data<std::uint8_t>();
  EXPECT_EQ(std::vector<std::uint8_t>(bytes.begin(), bytes.end()), quant::pack(codes, quant::Bits{6}));
}

TEST(Halves, AreOneWhenNothingCrosses) {
  CLEAVE_NEEDS_ORT();
  const Case test = testing::make_case(testing::chain_network(6), 6, 1);
  const SplitBundle bundle = test.split(Cut::all(test.prepared));
  EXPECT_FALSE(bundle.cloud);
  EXPECT_TRUE(bundle.wire.empty());
  const TemporaryFolder folder;
  const Named theirs = run_in_ort(bundle, test.samples[0], folder);
  const Named ours = run_here(bundle, test.samples[0]);
  EXPECT_LE(testing::relative_error(ours.at("y"), theirs.at("y")), 0.01);
}

TEST(Halves, SendResultsToTheCloudWhenThePlanWantsThemThere) {
  CLEAVE_NEEDS_ORT();
  const Case test = testing::make_case(testing::residual_network(7), 7, 1);
  for (const int bits : {5, 32}) {
    for (const std::size_t units : {test.prepared.units().size() - 3, test.prepared.units().size()}) {
      const SplitBundle bundle = test.split(testing::prefix(test.prepared, units), {8, 8, bits, "cloud"});
      ASSERT_TRUE(bundle.cloud);
      std::vector<std::string> outputs;
      for (const TensorId id : bundle.cloud->outputs()) outputs.push_back(bundle.cloud->tensor(id).name);
      EXPECT_EQ(outputs, (std::vector<std::string>{"y", "features"}));
      const TemporaryFolder folder;
      const Named theirs = run_in_ort(bundle, test.samples[0], folder);
      const Named ours = run_graph(*bundle.cloud, testing::only_inputs(theirs, *bundle.cloud));
      for (const std::string& name : outputs)
        EXPECT_LE(testing::relative_error(ours.at(name), theirs.at(name)), 1e-4) << name;
    }
  }
}

/// Samples along the first dimension.
Tensor stacked(const std::vector<Tensor>& samples) {
  Shape shape = samples[0].shape();
  shape[0] = static_cast<std::int64_t>(samples.size());
  Tensor all(samples[0].dtype(), shape);
  auto to = all.mutable_raw().begin();
  for (const Tensor& sample : samples) to = std::copy(sample.raw().begin(), sample.raw().end(), to);
  return all;
}

TEST(CloudHalf, TakesABatchWhereTheNetworkDoes) {
  CLEAVE_NEEDS_ORT();
  const Case test = testing::make_case(testing::residual_network(8), 8, 3);
  const SplitBundle bundle = test.split(graph::cut_at(test.prepared, {"a1_relu"}), {8, 8, 3, "anywhere"});
  ASSERT_TRUE(bundle.batchable);
  const TemporaryFolder folder;
  std::vector<Named> singles;
  for (const auto& sample : test.samples) singles.push_back(run_in_ort(bundle, sample, folder));
  Named batch;
  for (const WireTensor& wire : bundle.wire) {
    batch[wire.port] = stacked({singles[0].at(wire.port), singles[1].at(wire.port), singles[2].at(wire.port)});
  }
  const Named got = ort_run(folder / "cloud.onnx", batch);
  const Tensor expected = stacked({singles[0].at("y"), singles[1].at("y"), singles[2].at("y")});
  EXPECT_LE(testing::relative_error(got.at("y"), expected), 1e-6);
}

TEST(CloudHalf, IsForOneSampleWhereTheNetworkIs) {
  const Case test = testing::make_case(testing::chain_network(9, false), 9, 1);
  const SplitBundle bundle = test.split(graph::cut_at(test.prepared, {"pool"}));
  EXPECT_FALSE(bundle.batchable);
  EXPECT_EQ(bundle.cloud->tensor(bundle.cloud->inputs()[0]).shape[0], 1);
}

/// Declares a network output.
void float_output(graph::GraphBuilder& builder, TensorId id, Shape shape) {
  builder.set_shape(id, DType::kFloat32, std::move(shape));
  builder.output(id);
}

/// x [N,2,4,4] -> Conv -> Reshape to a shape given as constant -> Gemm.
Graph with_reshape(std::vector<std::int64_t> shape) {
  graph::GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {-1, 2, 4, 4}, {"N", "", "", ""});
  const TensorId w = b.constant("w", testing::random_tensor({2, 2, 1, 1}, 1));
  const TensorId h = b.node("Conv", {x, w}, {"h"})[0];
  const Shape two{2};
  const TensorId to = b.constant("to", Tensor::from<std::int64_t>(two, shape));
  const TensorId flat = b.node("Reshape", {h, to}, {"flat"})[0];
  float_output(b, b.node("Gemm", {flat, b.constant("v", testing::random_tensor({32, 3}, 2))}, {"y"})[0], {-1, 3});
  return b.build();
}

TEST(CloudHalf, IsNotCalledBatchableWhenABatchOfOneIsBakedIn) {
  const Case open = testing::make_case(with_reshape({-1, 32}), 1, 1);
  EXPECT_TRUE(open.split(graph::cut_at(open.prepared, {"h"})).batchable);
  const Case baked = testing::make_case(with_reshape({1, 32}), 1, 1);
  EXPECT_FALSE(baked.split(graph::cut_at(baked.prepared, {"h"})).batchable);
}

TEST(CloudHalf, FoldsAShapeThatTheFileComputesOnTheOtherSide) {
  CLEAVE_NEEDS_ORT();
  // The cloud's Reshape takes its shape from the network input, which stays on the edge.
  graph::GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {-1, 2, 4, 4}, {"N", "", "", ""});
  const TensorId w = b.constant("w", testing::random_tensor({2, 2, 1, 1}, 1));
  const TensorId h = b.node("Relu", {b.node("Conv", {x, w}, {"c"})[0]}, {"h"})[0];
  const TensorId shape = b.node("Shape", {x}, {"shape"})[0];
  const TensorId first = b.constant("first", Tensor::from<std::int64_t>({1}, std::vector<std::int64_t>{0}));
  const TensorId rest = b.constant("rest", Tensor::from<std::int64_t>({1}, std::vector<std::int64_t>{-1}));
  const TensorId batch = b.node("Gather", {shape, first}, {"batch"})[0];
  const TensorId to = b.node("Concat", {batch, rest}, {"to"}, {{"axis", std::int64_t{0}}})[0];
  float_output(b, b.node("Reshape", {h, to}, {"y"})[0], {-1, -1});
  const Case test = testing::make_case(b.build(), 1, 1);
  const SplitBundle bundle = test.split(graph::cut_at(test.prepared, {"h"}));
  EXPECT_FALSE(bundle.batchable);
  expect_bundle_works(test, bundle);
}

TEST(CloudHalf, ReadsACrossingTensorUnderTheNameItHasBeforeAnIdentity) {
  CLEAVE_NEEDS_ORT();
  // "h" leaves as the output "out" = Identity(h); the prepared network knows it as "out" only.
  graph::GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {1, 2, 4, 4});
  const TensorId w = b.constant("w", testing::random_tensor({2, 2, 1, 1}, 1));
  const TensorId h = b.node("Relu", {b.node("Conv", {x, w}, {"c"})[0]}, {"h"})[0];
  float_output(b, b.node("Identity", {h}, {"out"})[0], {1, 2, 4, 4});
  float_output(b, b.node("GlobalAveragePool", {h}, {"y"})[0], {1, 2, 1, 1});
  const Case test = testing::make_case(b.build(), 1, 1);
  const SplitBundle bundle = test.split(testing::prefix(test.prepared, 1));
  ASSERT_EQ(bundle.wire.size(), 1U);
  expect_bundle_works(test, bundle);
}

TEST(CloudHalf, KeepsTheFilesOwnNodes) {
  graph::GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {-1, 2, 4, 4}, {"N", "", "", ""});
  const auto conv = [&](TensorId t, const std::string& name) {
    return b.node("Conv", {t, b.constant(name + "_w", testing::random_tensor({2, 2, 1, 1}, 1))}, {name})[0];
  };
  const TensorId h = b.node("Relu", {conv(x, "c1")}, {"h"})[0];
  const std::vector<float> ones{1, 1};
  const std::vector<float> halves{0.5F, 0.5F};
  const TensorId normal =
      b.node("BatchNormalization",
             {conv(h, "c2"), b.constant("s", Tensor::from<float>({2}, ones)),
              b.constant("b", Tensor::from<float>({2}, halves)), b.constant("m", Tensor::from<float>({2}, halves)),
              b.constant("v", Tensor::from<float>({2}, ones))},
             {"n"})[0];
  float_output(b, b.node("Relu", {normal}, {"y"})[0], {-1, 2, 4, 4});
  b.set_metadata("author", "somebody");
  const Case test = testing::make_case(b.build(), 1, 1);
  const SplitBundle bundle = test.split(graph::cut_at(test.prepared, {"h"}));
  const auto nodes = bundle.cloud->nodes();
  EXPECT_TRUE(std::any_of(nodes.begin(), nodes.end(), [](const auto& n) { return n.op == "BatchNormalization"; }));
  EXPECT_TRUE(bundle.cloud->find("c2_w"));
  for (const Graph* half : {&bundle.edge, &*bundle.cloud}) {
    EXPECT_EQ(half->metadata().at("author"), "somebody");
    EXPECT_EQ(half->metadata().at("cleave.pairing"), bundle.edge.metadata().at("cleave.pairing"));
  }
}

}  // namespace
}  // namespace cleave::bundle
