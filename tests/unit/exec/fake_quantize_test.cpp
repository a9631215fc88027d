#include "exec/fake_quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "core/error.h"
#include "exec/session.h"
#include "graph/builder.h"
#include "graph/onnx_write.h"
#include "support/ort.h"
#include "support/temporary_folder.h"

namespace cleave::exec {
namespace {

using graph::Cut;
using graph::Graph;
using graph::GraphBuilder;
using graph::Node;
using graph::TensorId;
using quant::AffineQuantizer;
using quant::Bits;
using quant::WeightQuantizer;
using Integers = std::vector<std::int64_t>;

Tensor floats(Shape shape, const std::vector<float>& values) {
  return Tensor::from<float>(std::move(shape), values);
}

std::vector<float> values_of(const Tensor& tensor) {
  const auto data = tensor.data<float>();
  return {data.begin(), data.end()};
}

std::vector<int> codes_of(const Tensor& tensor) {
  const auto data = tensor.data<std::uint8_t>();
  return {data.begin(), data.end()};
}

TensorId shaped(GraphBuilder& builder, TensorId id, Shape shape) {
  builder.set_shape(id, DType::kFloat32, std::move(shape));
  return id;
}

TensorId float_node(GraphBuilder& builder, const std::string& op, std::vector<TensorId> inputs, const std::string& name,
                    const Shape& shape, std::map<std::string, graph::AttributeValue> attributes = {}) {
  return shaped(builder, builder.node(op, std::move(inputs), {name}, std::move(attributes))[0], shape);
}

/// x [1,3] -> Gemm -> h [1,2] -> Relu -> r -> Gemm -> y [1,1]; weights as given (transB).
Graph two_layers() {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {1, 3});
  const TensorId w1 = b.constant("w1", floats({2, 3}, {1.0F, -0.5F, 0.24F, 0.1F, 0.2F, -0.4F}));
  const TensorId b1 = b.constant("b1", floats({2}, {0.26F, -0.1F}));
  const TensorId h = float_node(b, "Gemm", {x, w1, b1}, "h", {1, 2}, {{"transB", std::int64_t{1}}});
  const TensorId r = float_node(b, "Relu", {h}, "r", {1, 2});
  const TensorId w2 = b.constant("w2", floats({1, 2}, {1.0F, 2.0F}));
  b.output(float_node(b, "Gemm", {r, w2}, "y", {1, 1}, {{"transB", std::int64_t{1}}}));
  return b.build();
}

Graph with_outputs(const Graph& graph, const std::vector<std::string>& outputs) {
  std::vector<std::string> inputs;
  for (const TensorId id : graph.inputs()) inputs.push_back(graph.tensor(id).name);
  return graph::extract(graph, inputs, outputs);
}

/// Named tensors of one run with the reference kernels.
std::map<std::string, Tensor> run(const Graph& graph, const std::vector<Tensor>& inputs,
                                  const std::vector<std::string>& outputs) {
  Session session(with_outputs(graph, outputs), {Kernels::kReference, 1});
  const auto results = session.run(inputs);
  std::map<std::string, Tensor> named;
  for (std::size_t i = 0; i < outputs.size(); ++i) named[outputs[i]] = results[i];
  return named;
}

int count(const Graph& graph, const std::string& op) {
  return static_cast<int>(
      std::count_if(graph.nodes().begin(), graph.nodes().end(), [&op](const Node& node) { return node.op == op; }));
}

const Node& maker(const Graph& graph, const std::string& tensor) {
  return graph.node(*graph.producer(*graph.find(tensor)));
}

TEST(FakeQuantize, GivesTheNumbersWorkedOutByHand) {
  const Graph graph = two_layers();
  QuantizationSpec spec;
  spec.edge = Cut::all(graph);
  spec.activations["x"] = {0.5F, 2, Bits{3}};   // values -1 .. 2.5
  spec.activations["r"] = {0.25F, 0, Bits{2}};  // values 0 .. 0.75
  spec.weights["h"] = {{0.25F, 0.1F}, 0, Bits{4}};
  spec.weights["y"] = {{0.5F}, 0, Bits{2}};
  const Graph fake = fake_quantize(graph, spec);
  ASSERT_TRUE(fake.fully_shaped());
  const auto got = run(fake, {floats({1, 3}, {0.3F, -0.74F, 9.0F})}, {codes_name("x"), codes_name("r"), "y"});
  // x / 0.5 = 0.6, -1.48, 18 -> 1, -1, 18; + 2, at most 7.
  EXPECT_EQ(codes_of(got.at(codes_name("x"))), (std::vector<int>{3, 1, 7}));
  // x~ = 0.5, -0.5, 2.5; w1 codes 4, -2, 1 (of 0.25) and 1, 2, -4 (of 0.1);
  // biases 0.26 / 0.125 -> 2 = 0.25, -0.1 / 0.05 -> -2 = -0.1.
  // h = 0.5 + 0.25 + 0.625 + 0.25 = 1.625 and 0.05 - 0.1 - 1 - 0.1 = -1.15; r codes 6.5 -> 3 at most, and 0.
  EXPECT_EQ(codes_of(got.at(codes_name("r"))), (std::vector<int>{3, 0}));
  // w2 / 0.5 = 2, 4 -> at most 1 on the 2-bit grid: 0.5. y = 0.75 * 0.5.
  EXPECT_EQ(values_of(got.at("y")), (std::vector<float>{0.375F}));
}

TEST(FakeQuantize, LimitsTheCodesOnlyBelowEightBits) {
  const Graph graph = two_layers();
  QuantizationSpec spec;
  spec.edge = Cut::all(graph);
  spec.activations["x"] = {0.1F, 10, Bits{8}};
  EXPECT_EQ(count(fake_quantize(graph, spec), "Clip"), 0);
  spec.activations["x"].bits = Bits{7};
  const Graph fake = fake_quantize(graph, spec);
  EXPECT_EQ(count(fake, "Clip"), 1);
  const Node& clip = maker(fake, codes_name("x"));
  EXPECT_EQ(fake.constant(clip.input(2))->data<std::uint8_t>()[0], 127);
}

TEST(FakeQuantize, LeavesAGraphAloneWhenNothingIsQuantized) {
  const Graph graph = two_layers();
  QuantizationSpec spec;
  spec.edge = Cut::all(graph);
  spec.activations["x"] = {1, 0, Bits{32}};
  EXPECT_EQ(fake_quantize(graph, spec).fingerprint(), graph.fingerprint());
}

TEST(FakeQuantize, RequantizesTheWireFromWhatTheEdgeSees) {
  // t = x + 0, read by an edge unit and by a cloud unit.
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {1, 4});
  const TensorId t = float_node(b, "Add", {x, b.constant("zero", floats({1}, {0}))}, "t", {1, 4});
  b.output(float_node(b, "Neg", {t}, "on_edge", {1, 4}));
  b.output(float_node(b, "Abs", {t}, "on_cloud", {1, 4}));
  const Graph graph = b.build();
  QuantizationSpec spec;
  spec.edge = Cut{{true, true, false}};
  spec.activations["t"] = {0.4F, 0, Bits{4}};
  spec.wire["t"] = {1.0F, 0, Bits{2}};
  // 0.55 / 0.4 = 1.375 -> 1 -> 0.4 -> wire code 0; float 0.55 would give 1. 1.25 -> 3 -> 1.2 -> 1.
  const auto got =
      run(fake_quantize(graph, spec), {floats({1, 4}, {0.55F, 1.25F, 0.0F, 7.0F})}, {"on_edge", "on_cloud"});
  EXPECT_EQ(values_of(got.at("on_edge")), (std::vector<float>{-0.4F, -3 * 0.4F, 0, -15 * 0.4F}));
  EXPECT_EQ(values_of(got.at("on_cloud")), (std::vector<float>{0, 1, 0, 3}));

  spec.activations.clear();
  const auto from_float =
      run(fake_quantize(graph, spec), {floats({1, 4}, {0.55F, 1.25F, 0.0F, 7.0F})}, {"on_edge", "on_cloud"});
  EXPECT_EQ(values_of(from_float.at("on_edge")), (std::vector<float>{-0.55F, -1.25F, 0, -7}));
  EXPECT_EQ(values_of(from_float.at("on_cloud")), (std::vector<float>{1, 1, 0, 3}));
}

TEST(FakeQuantize, SendsTheDequantizedTensorUnderItsOwnNameAt32Bits) {
  const Graph graph = two_layers();
  QuantizationSpec spec;
  spec.edge = Cut{{true, false}};
  spec.activations["r"] = {0.5F, 0, Bits{2}};
  spec.wire["r"] = {1, 0, Bits{32}};
  const Graph fake = fake_quantize(graph, spec);
  EXPECT_EQ(maker(fake, "r").op, "DequantizeLinear");
  const auto got = run(fake, {floats({1, 3}, {1, 0, 0})}, {"r", "y"});
  EXPECT_EQ(values_of(got.at("r")), (std::vector<float>{1.5F, 0}));  // 1.26 / 0.5 = 2.52 -> 3; Relu(0.0) -> 0
  EXPECT_EQ(values_of(got.at("y")), (std::vector<float>{1.5F}));
}

TEST(FakeQuantize, KeepsTheNameOfAQuantizedNetworkOutput) {
  const Graph graph = two_layers();
  QuantizationSpec spec;
  spec.edge = Cut::all(graph);
  spec.activations["y"] = {0.5F, 4, Bits{3}};
  const Graph fake = fake_quantize(graph, spec);
  EXPECT_TRUE(fake.is_output(*fake.find("y")));
  EXPECT_EQ(maker(fake, "y").op, "DequantizeLinear");
  EXPECT_EQ(maker(fake, "y::float").op, "Gemm");
  const auto got = run(fake, {floats({1, 3}, {1, 0, 0})}, {"y"});
  EXPECT_EQ(values_of(got.at("y")), (std::vector<float>{1.5F}));  // 1.26 / 0.5 -> 3, + 4 = 7
}

TEST(FakeQuantize, ReadsResultsBehindTheWireWhenTheyCross) {
  const Graph graph = two_layers();
  QuantizationSpec spec;
  spec.edge = Cut::all(graph);
  spec.activations["y"] = {0.25F, 0, Bits{8}};
  spec.wire["y"] = {1.0F, 0, Bits{2}};
  spec.results_cross = true;
  const Graph fake = fake_quantize(graph, spec);
  const auto got = run(fake, {floats({1, 3}, {1, 0, 0})}, {"y", codes_name("y"), wire_codes_name("y")});
  EXPECT_EQ(codes_of(got.at(codes_name("y"))), (std::vector<int>{5}));       // 1.26 -> 1.25
  EXPECT_EQ(codes_of(got.at(wire_codes_name("y"))), (std::vector<int>{1}));  // 1.25 -> 1
  EXPECT_EQ(values_of(got.at("y")), (std::vector<float>{1}));
}

TEST(FakeQuantize, LeavesOutAReluThatSaturationReplaces) {
  const Graph graph = two_layers();
  QuantizationSpec spec;
  spec.edge = Cut::all(graph);
  spec.activations["r"] = {0.25F, 0, Bits{4}};
  EXPECT_EQ(count(fake_quantize(graph, spec), "Relu"), 0);
  spec.activations["r"].zero_point = 1;  // the grid reaches below zero: the Relu still works
  EXPECT_EQ(count(fake_quantize(graph, spec), "Relu"), 1);
}

/// x -> Conv 1x1 of weight 1 -> Clip(0, 6) -> c -> Abs.
Graph clipped_network() {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {1, 1, 1, 5});
  const TensorId w = b.constant("w", floats({1, 1, 1, 1}, {1}));
  const TensorId h = float_node(b, "Conv", {x, w}, "h", {1, 1, 1, 5});
  const std::vector<TensorId> bounds{b.constant("low", Tensor::scalar(0.0F)), b.constant("high", Tensor::scalar(6.0F))};
  const TensorId c = float_node(b, "Clip", {h, bounds[0], bounds[1]}, "c", {1, 1, 1, 5});
  b.output(float_node(b, "Abs", {c}, "y", {1, 1, 1, 5}));
  return b.build();
}

TEST(FakeQuantize, LeavesOutAClipExactlyWhenNoCodeChanges) {
  const Graph graph = clipped_network();
  const Tensor x = floats({1, 1, 1, 5}, {-3.0F, 2.9F, 5.9F, 6.1F, 80.0F});
  for (const float scale : {0.2F, 0.4F, 0.41F, 0.45F, 0.8F}) {
    QuantizationSpec spec;
    spec.edge = Cut::all(graph);
    const AffineQuantizer quantizer{scale, 0, Bits{4}};
    spec.activations["c"] = quantizer;
    const Graph fake = fake_quantize(graph, spec);
    const bool float_clip = std::any_of(fake.nodes().begin(), fake.nodes().end(),
                                        [](const Node& n) { return n.op == "Clip" && n.name == "c"; });
    EXPECT_EQ(float_clip, quantizer.code(6.0F) < 15) << scale;
    std::vector<int> expected;
    for (const float value : x.data<float>()) expected.push_back(quantizer.code(std::clamp(value, 0.0F, 6.0F)));
    EXPECT_EQ(codes_of(run(fake, {x}, {codes_name("c")}).at(codes_name("c"))), expected) << scale;
  }
}

TEST(FakeQuantize, KeepsAnActivationThatSomebodyReadsInFloat) {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {1, 2});
  const TensorId h = float_node(b, "Add", {x, b.constant("one", floats({1}, {1}))}, "h", {1, 2});
  const TensorId r = float_node(b, "Relu", {h}, "r", {1, 2});
  b.output(float_node(b, "Neg", {r}, "on_edge", {1, 2}));
  b.output(float_node(b, "Abs", {r}, "on_cloud", {1, 2}));
  const Graph graph = b.build();
  QuantizationSpec spec;
  spec.edge = Cut{{true, true, false}};
  spec.wire["r"] = {0.5F, 0, Bits{4}};
  const Graph fake = fake_quantize(graph, spec);
  EXPECT_EQ(count(fake, "Relu"), 1);
  const auto got = run(fake, {floats({1, 2}, {-5, 0.3F})}, {"on_edge", "on_cloud"});
  EXPECT_EQ(values_of(got.at("on_edge")), (std::vector<float>{0, -1.3F}));
  EXPECT_EQ(values_of(got.at("on_cloud")), (std::vector<float>{0, 1.5F}));
}

TEST(FakeQuantize, StoresWeightsAndBiasAsCodes) {
  const Graph graph = two_layers();
  QuantizationSpec spec;
  spec.edge = Cut::all(graph);
  spec.activations["x"] = {0.5F, 2, Bits{3}};
  spec.weights["h"] = {{0.25F, 0.1F}, 0, Bits{4}};
  const Graph fake = fake_quantize(graph, spec);
  const Node& weight = maker(fake, "h::weight");
  EXPECT_EQ(weight.integer("axis", 99), 0);
  const auto codes = fake.constant(weight.input(0))->data<std::int8_t>();
  EXPECT_EQ(std::vector<int>(codes.begin(), codes.end()), (std::vector<int>{4, -2, 1, 1, 2, -4}));
  const Node& bias = maker(fake, "h::bias");
  const auto bias_codes = fake.constant(bias.input(0))->data<std::int32_t>();
  EXPECT_EQ(std::vector<int>(bias_codes.begin(), bias_codes.end()), (std::vector<int>{2, -2}));
  EXPECT_EQ(fake.constant(bias.input(1))->data<float>()[1], 0.5F * 0.1F);
}

TEST(FakeQuantize, KeepsTheBiasFloatWithoutAQuantizedInputOrWhereACodeWouldOverflow) {
  const Graph graph = two_layers();
  QuantizationSpec spec;
  spec.edge = Cut::all(graph);
  spec.weights["h"] = {{0.25F, 0.1F}, 0, Bits{4}};
  EXPECT_FALSE(fake_quantize(graph, spec).find("h::bias"));
  spec.activations["x"] = {0.5F, 2, Bits{3}};
  EXPECT_TRUE(fake_quantize(graph, spec).find("h::bias"));
  spec.activations["x"].scale = 1e-10F;
  EXPECT_FALSE(fake_quantize(graph, spec).find("h::bias"));
}

TEST(FakeQuantize, TakesGivenCodesInsteadOfRounding) {
  const Graph graph = two_layers();
  QuantizationSpec spec;
  spec.edge = Cut::all(graph);
  spec.weights["y"] = {{0.5F}, 0, Bits{4}};
  spec.weight_codes["y"] = Tensor::from<std::int8_t>({1, 2}, std::vector<std::int8_t>{-3, 7});
  const auto got = run(fake_quantize(graph, spec), {floats({1, 3}, {1, 0, 0})}, {"y"});
  EXPECT_FLOAT_EQ(values_of(got.at("y"))[0], -1.5F * 1.26F);
}

TEST(FakeQuantize, GivesUnitsThatShareAWeightTheirOwnCodes) {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {1, 2});
  const TensorId w = b.constant("w", floats({2, 2}, {1, 0, 0, 1}));
  const TensorId first = float_node(b, "MatMul", {x, w}, "first", {1, 2});
  b.output(float_node(b, "MatMul", {first, w}, "second", {1, 2}));
  const Graph graph = b.build();
  QuantizationSpec spec;
  spec.edge = Cut{{true, false}};
  spec.weights["first"] = {{0.75F, 0.75F}, 1, Bits{8}};
  const auto got = run(fake_quantize(graph, spec), {floats({1, 2}, {4, 8})}, {"first", "second"});
  EXPECT_EQ(values_of(got.at("first")), (std::vector<float>{3, 6}));
  EXPECT_EQ(values_of(got.at("second")), (std::vector<float>{3, 6}));
}

TEST(FakeQuantize, RefusesWhatTheGraphDoesNotHave) {
  const Graph graph = two_layers();
  QuantizationSpec spec;
  spec.edge = Cut::all(graph);
  spec.activations["nobody"] = {};
  EXPECT_THROW(fake_quantize(graph, spec), Error);
  spec.activations.clear();
  spec.weights["nobody"] = {{1}, 0, Bits{8}};
  EXPECT_THROW(fake_quantize(graph, spec), Error);
  spec.weights.clear();
  spec.activations["x"] = {1, 0, Bits{12}};
  EXPECT_THROW(fake_quantize(graph, spec), Error);
  spec.activations.clear();
  spec.edge.on_edge.pop_back();
  EXPECT_THROW(fake_quantize(graph, spec), Error);
}

TEST(FakeQuantize, RunsInOnnxRuntimeWithTheSameCodes) {
  CLEAVE_NEEDS_ORT();
  const Graph graph = two_layers();
  QuantizationSpec spec;
  spec.edge = Cut::all(graph);
  spec.activations["x"] = {0.05F, 12, Bits{5}};
  spec.activations["r"] = {0.03F, 0, Bits{6}};
  spec.weights["h"] = {{0.1F, 0.03F}, 0, Bits{5}};
  const std::vector<std::string> outputs{codes_name("x"), codes_name("r")};
  const Graph fake = with_outputs(fake_quantize(graph, spec), outputs);
  const testing::TemporaryFolder folder;
  graph::save_onnx(fake, folder / "fake.onnx");
  std::mt19937 random(5);
  for (int i = 0; i < 3; ++i) {
    std::vector<float> values;
    for (int j = 0; j < 3; ++j) values.push_back(static_cast<float>(random() % 2000) / 1000.0F - 1.0F);
    const Tensor x = floats({1, 3}, values);
    const auto ours = run(fake, {x}, outputs);
    const auto theirs = testing::ort_run(folder / "fake.onnx", {{"x", x}});
    for (const std::string& name : outputs) EXPECT_EQ(codes_of(ours.at(name)), codes_of(theirs.at(name))) << name;
  }
}

}  // namespace
}  // namespace cleave::exec
