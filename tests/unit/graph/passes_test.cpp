#include <gtest/gtest.h>

#include "graph/passes/passes.h"
#include "graph/prepare.h"
#include "helpers.h"
#include "support/ort.h"

namespace cleave::graph {
namespace {

using testing::count_op;
using testing::ints;
using testing::random_tensor;

using Attributes = std::map<std::string, AttributeValue>;
using Integers = std::vector<std::int64_t>;

Tensor positive(std::int64_t channels, std::uint32_t seed) {
  return random_tensor({channels}, seed, 0.2F, 2.0F);
}

/// How often each pass fired in prepare().
std::map<std::string, int> fired(const Graph& graph, Graph* result = nullptr) {
  std::vector<PassReport> report;
  Graph prepared = prepare(graph, {}, &report);
  if (result != nullptr) *result = prepared;
  std::map<std::string, int> counts;
  for (const PassReport& row : report) counts[row.pass] = row.fired;
  return counts;
}

/// The prepared graph gives what the original gives, in ONNX Runtime.
void expect_same_numbers(const Graph& graph, double tolerance = 1e-5) {
  if (!cleave::testing::has_ort()) return;
  const auto inputs = testing::random_inputs(graph, 77);
  EXPECT_LE(testing::difference(testing::run(graph, inputs), testing::run(prepare(graph), inputs)), tolerance);
}

/// x (2x4x6x6) through a weighted node and a batch normalization.
struct NormScene {
  GraphBuilder builder;
  TensorId y;

  NormScene(const std::string& op, const Shape& weight, Attributes attributes, bool bias, std::int64_t channels,
            const Shape& input = {2, 4, 6, 6}) {
    const TensorId x = builder.input("x", DType::kFloat32, input);
    std::vector<TensorId> inputs{x, builder.constant("w", random_tensor(weight, 1))};
    if (bias) inputs.push_back(builder.constant("b", random_tensor({channels}, 2)));
    y = builder.node(op, inputs, {"y"}, std::move(attributes), "layer")[0];
    add_norm("y", "z", channels);
  }

  void add_norm(const std::string& from, const std::string& to, std::int64_t channels, Attributes attributes = {}) {
    const TensorId gamma = builder.constant(to + "_gamma", random_tensor({channels}, 3));
    const TensorId beta = builder.constant(to + "_beta", random_tensor({channels}, 4));
    const TensorId mean = builder.constant(to + "_mean", random_tensor({channels}, 5));
    const TensorId variance = builder.constant(to + "_var", positive(channels, 6));
    builder.node("BatchNormalization", {builder.tensor(from), gamma, beta, mean, variance}, {to},
                 std::move(attributes));
  }

  Graph build(const std::string& output = "z") {
    builder.output(builder.tensor(output));
    return builder.build();
  }
};

TEST(FoldBatchNorm, FoldsIntoConvolutionsOfEveryKindWithTheSameNumbers) {
  for (const bool bias : {false, true}) {
    std::vector<Graph> graphs;
    graphs.push_back(NormScene("Conv", {5, 4, 3, 3}, {{"pads", Integers{1, 1, 1, 1}}}, bias, 5).build());
    graphs.push_back(NormScene("Conv", {8, 2, 1, 1}, {{"group", std::int64_t{2}}}, bias, 8).build());
    graphs.push_back(NormScene("Conv", {4, 1, 3, 3}, {{"group", std::int64_t{4}}}, bias, 4).build());
    graphs.push_back(NormScene("ConvTranspose", {4, 5, 2, 2}, {{"strides", Integers{2, 2}}}, bias, 5).build());
    graphs.push_back(NormScene("ConvTranspose", {4, 3, 2, 2}, {{"group", std::int64_t{2}}}, bias, 6).build());
    graphs.push_back(NormScene("Gemm", {4, 5}, {{"alpha", 0.5F}, {"beta", 3.0F}}, bias, 5, {2, 4}).build());
    graphs.push_back(NormScene("Gemm", {5, 4}, {{"transB", std::int64_t{1}}}, bias, 5, {2, 4}).build());
    for (const Graph& graph : graphs) {
      Graph folded = graph;
      EXPECT_EQ(fired(graph, &folded)["fold_batch_norm"], 1) << graph.nodes()[0].op;
      EXPECT_EQ(folded.nodes().size(), 1u);
      EXPECT_EQ(folded.nodes()[0].name, "layer");
      EXPECT_EQ(folded.tensor(folded.nodes()[0].outputs[0]).name, "z");
      expect_same_numbers(graph);
    }
  }
}

TEST(FoldBatchNorm, CalculatesScaleAndShiftByHand) {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {1, 1, 1, 1});
  const auto one = [&b](const char* name, float value) { return b.constant(name, Tensor::from<float>({1}, {value})); };
  const TensorId w = b.constant("w", Tensor::from<float>({1, 1, 1, 1}, {3.0F}));
  const TensorId y = b.node("Conv", {x, w, one("bias", 5.0F)}, {"y"})[0];
  b.output(b.node("BatchNormalization", {y, one("g", 2.0F), one("beta", 7.0F), one("m", 1.0F), one("v", 0.25F)}, {"z"},
                  {{"epsilon", 0.0F}})[0]);
  const Graph graph = prepare(b.build());
  // k = 2 / sqrt(0.25) = 4; W' = 4 * 3; b' = 4 * (5 - 1) + 7
  EXPECT_EQ(graph.constant(graph.nodes()[0].inputs[1])->data<float>()[0], 12.0F);
  EXPECT_EQ(graph.constant(graph.nodes()[0].inputs[2])->data<float>()[0], 23.0F);
}

TEST(FoldBatchNorm, StaysWhereSomebodyElseSeesTheTensorInBetween) {
  NormScene reader("Conv", {5, 4, 1, 1}, {}, true, 5);
  reader.builder.output(reader.builder.node("Relu", {reader.y}, {"r"})[0]);
  EXPECT_EQ(fired(reader.build())["fold_batch_norm"], 0);
  NormScene output("Conv", {5, 4, 1, 1}, {}, true, 5);
  output.builder.output(output.y);
  EXPECT_EQ(fired(output.build())["fold_batch_norm"], 0);
}

TEST(FoldBatchNorm, StaysWhereItCannotBeFolded) {
  NormScene alone("Relu", {1}, {}, false, 4);
  alone.builder.node_at(NodeId{0}).inputs.resize(1);
  EXPECT_EQ(fired(alone.build())["fold_batch_norm"], 0);

  NormScene unknown_weight("Conv", {5, 4, 1, 1}, {}, true, 5);
  unknown_weight.builder.node_at(NodeId{0}).inputs[1] =
      unknown_weight.builder.input("weights", DType::kFloat32, {5, 4, 1, 1});
  EXPECT_EQ(fired(unknown_weight.build())["fold_batch_norm"], 0);

  NormScene rows("Gemm", {4, 5}, {}, false, 5, {2, 4});  // a bias per row, not per channel
  rows.builder.node_at(NodeId{0}).inputs.push_back(rows.builder.constant("c", random_tensor({2, 1}, 9)));
  EXPECT_EQ(fired(rows.build())["fold_batch_norm"], 0);
}

TEST(FoldBatchNorm, KeepsWeightsThatAnotherNodeShares) {
  NormScene scene("Conv", {4, 4, 1, 1}, {}, false, 4);
  const TensorId other = scene.builder.node("Conv", {scene.builder.tensor("x"), scene.builder.tensor("w")}, {"o"})[0];
  scene.builder.output(other);
  const Graph graph = scene.build();
  EXPECT_EQ(fired(graph)["fold_batch_norm"], 1);
  expect_same_numbers(graph);
}

TEST(FoldBatchNorm, FoldsTwoInARow) {
  NormScene scene("Conv", {5, 4, 3, 3}, {}, true, 5);
  scene.add_norm("z", "z2", 5);
  const Graph graph = scene.build("z2");
  EXPECT_EQ(fired(graph)["fold_batch_norm"], 2);
  expect_same_numbers(graph);
}

/// x (1x2x8x8) through a Pad and a windowed node.
Graph padded(const Integers& pads, const std::string& op, Attributes attributes, float value = 0.0F,
             const std::string& mode = "constant") {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {1, 2, 8, 8});
  const TensorId pad = b.node("Pad", {x, b.constant("pads", ints(pads)), b.constant("v", Tensor::scalar<float>(value))},
                              {"p"}, {{"mode", mode}})[0];
  std::vector<TensorId> inputs{pad};
  const std::int64_t channels = 2 + pads[1] + pads[pads.size() / 2 + 1];
  if (op == "Conv") inputs.push_back(b.constant("w", random_tensor({3, channels, 3, 3}, 1)));
  if (op != "Conv") attributes["kernel_shape"] = Integers{3, 3};
  b.output(b.node(op, inputs, {"y"}, std::move(attributes))[0]);
  return b.build();
}

const Integers kSpatial{0, 0, 1, 2, 0, 0, 0, 1};

TEST(FoldPad, FoldsZerosIntoConvolutionAndAveragePooling) {
  const std::vector<Graph> graphs{
      padded(kSpatial, "Conv", {}), padded(kSpatial, "Conv", {{"pads", Integers{1, 0, 2, 1}}}),
      padded(kSpatial, "Conv", {{"auto_pad", std::string("VALID")}, {"strides", Integers{2, 2}}}),
      padded(kSpatial, "AveragePool", {}),
      padded(kSpatial, "AveragePool", {{"pads", Integers{1, 0, 1, 0}}, {"count_include_pad", std::int64_t{1}}})};
  for (const Graph& graph : graphs) {
    Graph folded = graph;
    EXPECT_EQ(fired(graph, &folded)["fold_pad"], 1);
    EXPECT_EQ(count_op(folded, "Pad"), 0);
    expect_same_numbers(graph);
  }
  const Graph sum = prepare(graphs[1]);
  EXPECT_EQ(sum.nodes()[0].integers("pads"), (Integers{2, 2, 2, 2}));
}

TEST(FoldPad, StaysWhereItWouldNotBeExact) {
  const std::vector<Graph> graphs{
      padded(kSpatial, "MaxPool", {}),  // pads with -infinity
      padded(kSpatial, "Conv", {}, 1.0F),
      padded(kSpatial, "Conv", {}, 0.0F, "reflect"),
      padded({0, 1, 0, 0, 0, 0, 0, 0}, "Conv", {}),   // channels
      padded({0, 0, -1, 0, 0, 0, 0, 0}, "Conv", {}),  // crops
      padded({0, 0, 1, 1, 0, 0, 1, 1}, "Conv", {{"auto_pad", std::string("SAME_UPPER")}}),
      padded(kSpatial, "AveragePool", {{"pads", Integers{1, 1, 1, 1}}}),  // own padding is not counted
      padded(kSpatial, "AveragePool", {{"ceil_mode", std::int64_t{1}}}),
      padded({0, 0, 3, 3, 0, 0, 3, 3}, "AveragePool", {}),  // as wide as the window
  };
  for (std::size_t i = 0; i < graphs.size(); ++i) EXPECT_EQ(fired(graphs[i])["fold_pad"], 0) << i;
}

TEST(FoldPad, StaysWhereTwoNodesReadThePaddedTensor) {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {1, 2, 8, 8});
  const TensorId pad = b.node("Pad", {x, b.constant("pads", ints(kSpatial))}, {"p"})[0];
  b.output(b.node("Conv", {pad, b.constant("w", random_tensor({3, 2, 3, 3}, 1))}, {"y"})[0]);
  b.output(b.node("Relu", {pad}, {"r"})[0]);
  EXPECT_EQ(fired(b.build())["fold_pad"], 0);
}

/// x (1x3x4x4) -> Relu -> the node under test -> Sqrt.
Graph between(const std::string& op, std::vector<Tensor> more, Attributes attributes,
              const std::vector<std::string>& outputs = {"middle"}) {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {1, 3, 4, 4});
  std::vector<TensorId> inputs{b.node("Relu", {x}, {"r"})[0]};
  for (Tensor& tensor : more) {
    const std::string name = "c" + std::to_string(inputs.size());
    inputs.push_back(tensor.empty() ? TensorId::kNone : b.constant(name, tensor));
  }
  const TensorId middle = b.node(op, inputs, outputs, std::move(attributes))[0];
  b.output(b.node("Sqrt", {middle}, {"y"})[0]);
  return b.build();
}

Tensor flag(bool value) {
  Tensor tensor(DType::kBool, {});
  tensor.mutable_raw()[0] = static_cast<std::byte>(value);
  return tensor;
}

TEST(RemoveIdentity, RemovesNodesThatHandTheirInputOn) {
  const std::vector<Graph> graphs{
      between("Identity", {}, {}),
      between("Dropout", {}, {}, {"middle", "mask"}),
      between("Dropout", {Tensor::scalar<float>(0.5F), flag(false)}, {}),
      between("Cast", {}, {{"to", std::int64_t{1}}}),
      between("Reshape", {ints({0, -1, 4, 4})}, {}),
      between("Expand", {ints({3, 1, 1})}, {}),
      between("Transpose", {}, {{"perm", Integers{0, 1, 2, 3}}}),
      between("Pad", {ints({0, 0, 0, 0, 0, 0, 0, 0})}, {{"mode", std::string("edge")}}),
      between("Slice", {ints({0}), ints({100}), ints({2}), ints({1})}, {}),
      between("Concat", {}, {{"axis", std::int64_t{1}}}),
  };
  for (const Graph& graph : graphs) {
    Graph result = graph;
    EXPECT_EQ(fired(graph, &result)["remove_identity"], 1) << graph.nodes()[1].op;
    EXPECT_EQ(result.nodes().size(), 2u) << graph.nodes()[1].op;
    expect_same_numbers(graph, 0.0);
  }
}

TEST(RemoveIdentity, KeepsNodesThatChangeSomething) {
  const std::vector<Graph> graphs{
      between("Cast", {}, {{"to", std::int64_t{11}}}),
      between("Reshape", {ints({1, 48})}, {}),
      between("Transpose", {}, {{"perm", Integers{0, 1, 3, 2}}}),              // same shape, other order
      between("Slice", {ints({3}), ints({-100}), ints({2}), ints({-1})}, {}),  // same shape, reversed
      between("Pad", {ints({0, 0, -1, 0, 0, 0, 1, 0})}, {}),                   // same shape, shifted
      between("Expand", {ints({2, 3, 4, 4})}, {}),
  };
  for (const Graph& graph : graphs) EXPECT_EQ(fired(graph)["remove_identity"], 0) << graph.nodes()[1].op;
}

TEST(RemoveIdentity, KeepsTheNamesOfNetworkOutputs) {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {2, 3});
  b.output(b.node("Identity", {b.node("Relu", {x}, {"r"})[0]}, {"y"})[0]);
  Graph result = b.build();
  EXPECT_EQ(fired(b.build(), &result)["remove_identity"], 1);
  ASSERT_EQ(result.nodes().size(), 1u);
  EXPECT_EQ(result.tensor(result.outputs()[0]).name, "y");
  expect_same_numbers(b.build(), 0.0);
}

TEST(RemoveIdentity, KeepsANodeWhoseOutputCannotTakeAnotherName) {
  GraphBuilder from_input;
  from_input.output(from_input.node("Identity", {from_input.input("x", DType::kFloat32, {2})}, {"y"})[0]);
  EXPECT_EQ(fired(from_input.build())["remove_identity"], 0);

  GraphBuilder two_outputs;
  const TensorId r = two_outputs.node("Relu", {two_outputs.input("x", DType::kFloat32, {2})}, {"r"})[0];
  two_outputs.output(r);
  two_outputs.output(two_outputs.node("Identity", {r}, {"y"})[0]);
  EXPECT_EQ(fired(two_outputs.build())["remove_identity"], 0);
}

TEST(RemoveUnused, RemovesWhatNobodyNeedsButKeepsTheInterface) {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {2});
  const TensorId unused_input = b.input("unused", DType::kFloat32, {2});
  const TensorId r = b.node("Relu", {x}, {"r"})[0];
  b.node("Neg", {b.node("Exp", {r}, {"e"})[0]}, {"n"});
  b.node("Add", {unused_input, b.constant("c", random_tensor({2}, 1))}, {"a"});
  b.output(r);
  Graph result = b.build();
  EXPECT_EQ(fired(b.build(), &result)["remove_unused"], 2);
  EXPECT_EQ(result.nodes().size(), 1u);
  EXPECT_EQ(result.inputs().size(), 2u);
  EXPECT_FALSE(result.find("c"));
}

TEST(FoldConstants, FoldsShapeArithmeticIntoTheReshape) {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {-1, 3, 4, 5}, {"N", "", "", ""});
  const TensorId r = b.node("Relu", {x}, {"r"})[0];
  const TensorId shape = b.node("Shape", {r}, {"shape"})[0];
  const TensorId first = b.node("Gather", {shape, b.constant("zero", Tensor::scalar<std::int64_t>(0))}, {"first"})[0];
  const TensorId unsqueezed = b.node("Unsqueeze", {first, b.constant("axes", ints({0}))}, {"n"})[0];
  const TensorId wanted =
      b.node("Concat", {unsqueezed, b.constant("rest", ints({-1}))}, {"wanted"}, {{"axis", std::int64_t{0}}})[0];
  b.output(b.node("Reshape", {r, wanted}, {"y"})[0]);
  const Graph graph = b.build();
  Graph result = graph;
  EXPECT_EQ(fired(graph, &result)["fold_constants"], 4);
  EXPECT_EQ(result.nodes().size(), 2u);
  EXPECT_EQ(result.tensor(*result.find("y")).shape, (Shape{1, 60}));
  expect_same_numbers(graph, 0.0);
}

TEST(FoldConstants, KeepsANetworkOutputComputed) {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {2, 3});
  b.output(b.node("Shape", {x}, {"s"})[0]);
  EXPECT_EQ(fired(b.build())["fold_constants"], 0);
}

TEST(PassTable, NamesAndExplainsEveryPassOnce) {
  std::map<std::string, int> names;
  for (const Pass& pass : pass_table()) {
    EXPECT_EQ(names[pass.name]++, 0);
    EXPECT_FALSE(std::string(pass.what).empty());
  }
  EXPECT_EQ(names.size(), 5u);
}

TEST(Validate, FindsAConstantThatIsNotWhatTheGraphSays) {
  GraphBuilder b;
  const TensorId c = b.constant("c", random_tensor({2}, 1));
  b.output(b.node("Relu", {c}, {"y"})[0]);
  b.tensor_at(c).shape = {3};
  const Graph graph = b.build();
  EXPECT_TRUE(testing::contains(testing::error_of([&] { validate(graph); }).what(), "'c'"));
}

}  // namespace
}  // namespace cleave::graph
