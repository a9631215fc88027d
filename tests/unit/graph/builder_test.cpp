#include "graph/builder.h"

#include <gtest/gtest.h>

#include "helpers.h"

namespace cleave::graph {
namespace {

using testing::contains;
using testing::error_of;
using testing::random_tensor;

/// y = Relu(x * w)
GraphBuilder product_net() {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {2, 3});
  const TensorId w = b.constant("w", random_tensor({2, 3}, 1));
  b.output(b.node("Relu", {b.node("Mul", {x, w}, {"p"})[0]}, {"y"})[0]);
  return b;
}

TEST(Builder, WiresProducersAndConsumers) {
  const Graph graph = product_net().build();
  const TensorId p = *graph.find("p");
  EXPECT_EQ(graph.producer(p), NodeId{0});
  ASSERT_EQ(graph.consumers(p).size(), 1u);
  EXPECT_EQ(graph.consumers(p)[0], NodeId{1});
  EXPECT_TRUE(graph.is_input(*graph.find("x")));
  EXPECT_TRUE(graph.is_output(*graph.find("y")));
  EXPECT_FALSE(graph.producer(*graph.find("w")));
  EXPECT_FALSE(graph.find("nothing"));
}

TEST(Builder, SortsNodesThatWereGivenOutOfOrder) {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {1});
  b.output(b.node("Relu", {b.tensor("late")}, {"y"})[0]);
  b.node("Sqrt", {x}, {"late"});
  const Graph graph = b.build();
  EXPECT_EQ(graph.nodes()[0].op, "Sqrt");
  EXPECT_EQ(graph.nodes()[1].op, "Relu");
}

TEST(Builder, RefusesBrokenWiring) {
  GraphBuilder cycle;
  cycle.output(cycle.node("Add", {cycle.input("x", DType::kFloat32, {1}), cycle.tensor("b")}, {"a"})[0]);
  cycle.node("Relu", {cycle.tensor("a")}, {"b"});
  EXPECT_TRUE(contains(error_of([&] { cycle.build(); }).what(), "cycle through node 'a'"));

  GraphBuilder twice = product_net();
  twice.node("Relu", {twice.tensor("x")}, {"p"}, {}, "again");
  EXPECT_TRUE(contains(error_of([&] { twice.build(); }).what(), "'p' is made twice"));

  GraphBuilder constant = product_net();
  constant.node("Relu", {constant.tensor("x")}, {"w"});
  EXPECT_TRUE(contains(error_of([&] { constant.build(); }).what(), "'w' is made twice"));

  GraphBuilder nothing = product_net();
  nothing.node("Relu", {nothing.tensor("ghost")}, {"z"});
  EXPECT_TRUE(contains(error_of([&] { nothing.build(); }).what(), "'ghost', which nothing makes"));

  GraphBuilder names = product_net();
  names.node("Relu", {names.tensor("x")}, {"z"}, {}, "p");
  EXPECT_TRUE(contains(error_of([&] { names.build(); }).what(), "two nodes are called 'p'"));
}

TEST(Builder, DropsWhatNothingMentions) {
  GraphBuilder b = product_net();
  b.constant("spare", random_tensor({9}, 1));
  b.tensor("rumour");
  const Graph graph = b.build();
  EXPECT_FALSE(graph.find("spare"));
  EXPECT_FALSE(graph.find("rumour"));
}

TEST(Builder, EditsACopyAndLeavesTheOriginal) {
  const Graph original = product_net().build();
  GraphBuilder b(original);
  const TensorId w2 = b.constant(b.free_name("w"), random_tensor({2, 3}, 2));
  b.replace_uses(*original.find("w"), w2);
  const Graph edited = b.build();
  EXPECT_TRUE(edited.find("w_1"));
  EXPECT_FALSE(edited.find("w"));
  EXPECT_TRUE(original.find("w"));
  EXPECT_NE(edited.fingerprint(), original.fingerprint());
}

TEST(Fingerprint, ChangesWithWeightsWiringAndAttributesButNotWithNodeNames) {
  const std::string base = product_net().build().fingerprint();
  EXPECT_EQ(product_net().build().fingerprint(), base);
  GraphBuilder renamed = product_net();
  renamed.node_at(NodeId{0}).name = "other";
  EXPECT_EQ(renamed.build().fingerprint(), base);
  GraphBuilder weights = product_net();
  weights.set_constant(weights.tensor("w"), random_tensor({2, 3}, 2));
  EXPECT_NE(weights.build().fingerprint(), base);
  GraphBuilder wiring = product_net();
  wiring.node_at(NodeId{1}).inputs = {wiring.tensor("x")};
  EXPECT_NE(wiring.build().fingerprint(), base);
  GraphBuilder attribute = product_net();
  attribute.node_at(NodeId{1}).attributes["alpha"] = 0.5F;
  EXPECT_NE(attribute.build().fingerprint(), base);
}

TEST(Extract, TakesThePartBetweenTensorsWithItsNames) {
  const Graph graph = product_net().build();
  const Graph tail = extract(graph, {"p"}, {"y"});
  ASSERT_EQ(tail.nodes().size(), 1u);
  EXPECT_EQ(tail.tensor(tail.inputs()[0]).name, "p");
  EXPECT_EQ(tail.nodes()[0].name, "y");
  const Graph head = extract(graph, {"x"}, {"p"});
  EXPECT_TRUE(head.constant(*head.find("w")) != nullptr);
  EXPECT_TRUE(contains(error_of([&] { extract(graph, {}, {"p"}); }).what(), "'x'"));
  EXPECT_TRUE(contains(error_of([&] { extract(graph, {"x"}, {"nothing"}); }).what(), "'nothing'"));
}

TEST(Extract, SurvivesANodeThatMakesOneGivenAndOneWantedTensor) {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {1, 4});
  const auto parts = b.node("Split", {x}, {"a", "b"}, {{"axis", std::int64_t{1}}});
  b.output(b.node("Add", {parts[0], parts[1]}, {"y"})[0]);
  const Graph part = extract(b.build(), {"x", "a"}, {"y"});
  EXPECT_EQ(part.nodes().size(), 2u);
  EXPECT_TRUE(part.is_input(*part.find("a")));
}

TEST(Attributes, AreTypedAndNameTheNodeWhenTheyAreNot) {
  Node node;
  node.name = "n";
  node.attributes = {{"i", std::int64_t{3}}, {"f", 2.5F}, {"s", std::string("t")}};
  EXPECT_EQ(node.integer("i", 0), 3);
  EXPECT_EQ(node.integer("none", 9), 9);
  EXPECT_EQ(node.number("f", 0), 2.5F);
  EXPECT_EQ(node.text("s", ""), "t");
  EXPECT_TRUE(contains(error_of([&] { node.integers("i"); }).what(), "node 'n': attribute 'i'"));
}

}  // namespace
}  // namespace cleave::graph
