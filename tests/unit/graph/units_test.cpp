#include "graph/units.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "graph/model.h"
#include "graph/prepare.h"
#include "helpers.h"
#include "support/shared.h"

namespace cleave::graph {
namespace {

using testing::random_tensor;
using Integers = std::vector<std::int64_t>;

/// Operators of each unit, in schedule order: "Conv+Relu".
std::vector<std::string> spelled(const Graph& graph) {
  std::vector<std::string> result;
  for (const Unit& unit : graph.units()) {
    std::string text;
    for (const NodeId id : unit.nodes) text += (text.empty() ? "" : "+") + graph.node(id).op;
    result.push_back(text);
  }
  return result;
}

/// Builds on x (1x4x6x6) with a convolution c.
struct Scene {
  GraphBuilder b;
  TensorId x = b.input("x", DType::kFloat32, {1, 4, 6, 6});
  TensorId w = b.constant("w", random_tensor({4, 4, 3, 3}, 1));
  TensorId c = b.node("Conv", {x, w}, {"c"}, {{"pads", Integers{1, 1, 1, 1}}}, "conv")[0];

  TensorId add(const std::string& op, const std::vector<TensorId>& inputs, const std::string& name) {
    return b.node(op, inputs, {name})[0];
  }
  std::vector<std::string> units(TensorId output) {
    b.output(output);
    return spelled(prepare(b.build()));
  }
};

using Spelled = std::vector<std::string>;

TEST(Units, TakeInTheActivationThatFollows) {
  for (const char* op : {"Relu", "LeakyRelu", "Sigmoid", "Tanh", "HardSwish", "HardSigmoid", "Elu"}) {
    Scene scene;
    scene.b.set_versions(14, 7);
    EXPECT_EQ(scene.units(scene.add(op, {scene.c}, "y")), (Spelled{std::string("Conv+") + op}));
  }
  Scene clip;
  const TensorId low = clip.b.constant("low", Tensor::scalar(0.0F));
  const TensorId high = clip.b.constant("high", Tensor::scalar(6.0F));
  EXPECT_EQ(clip.units(clip.add("Clip", {clip.c, low, high}, "y")), (Spelled{"Conv+Clip"}));
  Scene prelu;
  const TensorId slope = prelu.b.constant("slope", random_tensor({4, 1, 1}, 2));
  EXPECT_EQ(prelu.units(prelu.add("PRelu", {prelu.c, slope}, "y")), (Spelled{"Conv+PRelu"}));
}

TEST(Units, TakeInGatesSpelledAsTwoNodes) {
  Scene silu;
  EXPECT_EQ(silu.units(silu.add("Mul", {silu.c, silu.add("Sigmoid", {silu.c}, "g")}, "y")),
            (Spelled{"Conv+Sigmoid+Mul"}));
  Scene swish;
  EXPECT_EQ(swish.units(swish.add("Mul", {swish.add("HardSigmoid", {swish.c}, "g"), swish.c}, "y")),
            (Spelled{"Conv+HardSigmoid+Mul"}));
  Scene other;  // gated by something else
  EXPECT_EQ(other.units(other.add("Mul", {other.x, other.add("Sigmoid", {other.c}, "g")}, "y")),
            (Spelled{"Conv+Sigmoid", "Mul"}));
}

TEST(Units, StopWhereSomebodyElseSeesTheTensor) {
  Scene reader;
  reader.b.output(reader.add("Sqrt", {reader.c}, "s"));
  EXPECT_EQ(reader.units(reader.add("Relu", {reader.c}, "y")), (Spelled{"Conv", "Sqrt", "Relu"}));
  Scene output;
  output.b.output(output.c);
  EXPECT_EQ(output.units(output.add("Relu", {output.c}, "y")), (Spelled{"Conv", "Relu"}));
  Scene two;  // one activation per unit
  EXPECT_EQ(two.units(two.add("Tanh", {two.add("Relu", {two.c}, "r")}, "y")), (Spelled{"Conv+Relu", "Tanh"}));
}

TEST(Units, AdditionsAndProductsHaveActivationsToo) {
  Scene scene;
  const TensorId sum = scene.add("Add", {scene.c, scene.x}, "sum");
  EXPECT_EQ(scene.units(scene.add("Relu", {sum}, "y")), (Spelled{"Conv", "Add+Relu"}));
}

TEST(Units, MatMulTakesItsBias) {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {2, 8});
  const TensorId m = b.node("MatMul", {x, b.constant("w", random_tensor({8, 5}, 1))}, {"m"})[0];
  const TensorId s = b.node("Add", {b.constant("bias", random_tensor({5}, 2)), m}, {"s"})[0];
  b.output(b.node("Relu", {s}, {"y"})[0]);
  const Graph graph = prepare(b.build());
  EXPECT_EQ(spelled(graph), (Spelled{"MatMul+Add+Relu"}));
  const Unit& unit = graph.units()[0];
  EXPECT_EQ(unit.macs, 2 * 8 * 5);
  EXPECT_EQ(unit.weight_elements, 40);
  EXPECT_EQ(unit.weight_axis, 1);
  ASSERT_EQ(unit.inputs.size(), 1u);
  EXPECT_EQ(graph.tensor(unit.inputs[0]).name, "x");
  ASSERT_EQ(unit.outputs.size(), 1u);
  EXPECT_EQ(graph.tensor(unit.outputs[0]).name, "y");
}

std::int64_t macs(const std::string& op, const Shape& input, const Shape& weight,
                  std::map<std::string, AttributeValue> attributes) {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, input);
  b.output(b.node(op, {x, b.constant("w", random_tensor(weight, 1))}, {"y"}, std::move(attributes))[0]);
  return prepare(b.build()).units()[0].macs;
}

TEST(Units, CountMultiplyAccumulatesAsByHand) {
  EXPECT_EQ(macs("Conv", {2, 4, 6, 6}, {5, 4, 3, 3}, {}), 2 * 5 * 4 * 4 * (4 * 9));
  EXPECT_EQ(macs("Conv", {1, 4, 6, 6}, {4, 1, 3, 3}, {{"group", std::int64_t{4}}}), 4 * 4 * 4 * 9);
  EXPECT_EQ(macs("Conv", {1, 4, 9}, {2, 4, 3}, {{"strides", Integers{2}}}), 2 * 4 * (4 * 3));
  EXPECT_EQ(macs("ConvTranspose", {1, 4, 3, 3}, {4, 5, 2, 2}, {{"strides", Integers{2, 2}}}), 4 * 3 * 3 * (5 * 4));
  EXPECT_EQ(macs("Gemm", {3, 8}, {5, 8}, {{"transB", std::int64_t{1}}}), 3 * 5 * 8);
  EXPECT_EQ(macs("Gemm", {3, 8}, {8, 5}, {}), 3 * 5 * 8);
  EXPECT_EQ(macs("MatMul", {2, 3, 8}, {8, 5}, {}), 2 * 3 * 5 * 8);
}

TEST(Units, MalformedNodesHaveNoMultiplyAccumulates) {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {1, 4, 6, 6});
  b.output(b.node("Conv", {x}, {"y"})[0]);
  b.node("Conv", {x, x}, {"", "z"});
  EXPECT_EQ(b.build().units()[0].macs, 0);
}

TEST(Units, OfRealNetworksPartitionTheNodesInTopologicalOrder) {
  CLEAVE_NEEDS_SHARED();
  for (const auto& path : testing::real_models()) {
    const Graph graph = prepare(Model::load(path));
    std::set<std::string> names;
    std::set<NodeId> seen;
    std::set<TensorId> available(graph.inputs().begin(), graph.inputs().end());
    std::multiset<TensorId> visible;
    for (std::size_t u = 0; u < graph.units().size(); ++u) {
      const Unit& unit = graph.units()[u];
      EXPECT_TRUE(names.insert(unit.name).second) << path << ": " << unit.name;
      for (const NodeId id : unit.nodes) {
        EXPECT_TRUE(seen.insert(id).second) << path;
        EXPECT_EQ(index(graph.unit_of(id)), u) << path;
      }
      for (const TensorId id : unit.inputs) EXPECT_TRUE(available.contains(id)) << path << ": " << unit.name;
      available.insert(unit.outputs.begin(), unit.outputs.end());
      visible.insert(unit.outputs.begin(), unit.outputs.end());
    }
    EXPECT_EQ(seen.size(), graph.nodes().size()) << path;
    for (const TensorId id : graph.outputs()) EXPECT_EQ(visible.count(id), 1u) << path;
  }
}

TEST(Units, OfMobileNetV2MultiplyAsOftenAsItsPaperSays) {
  CLEAVE_NEEDS_SHARED();
  const Graph graph = prepare(Model::load(cleave::testing::shared_dir() / "data/models/mobilenet_v2_1.0_224.onnx"));
  std::int64_t total = 0;
  for (const Unit& unit : graph.units()) total += unit.macs;
  // Sandler et al. 2018, table 4: 300 million, 3.4 million parameters.
  EXPECT_NEAR(static_cast<double>(total), 300e6, 3e6);
}

}  // namespace
}  // namespace cleave::graph
