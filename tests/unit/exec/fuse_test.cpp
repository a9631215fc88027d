#include "exec/fuse.h"

#include <gtest/gtest.h>

#include "small_networks.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::TensorId;

FusionFacts facts_of(const Graph& graph, const std::vector<std::string>& taps = {}) {
  FusionFacts facts;
  facts.constant = [&graph](TensorId id) { return graph.constant(id); };
  facts.skipped.assign(graph.nodes().size(), false);
  facts.visible.assign(graph.tensor_count(), false);
  for (const TensorId id : graph.outputs()) facts.visible[index(id)] = true;
  for (const auto& name : taps) facts.visible[index(*graph.find(name))] = true;
  return facts;
}

/// "Conv+Relu Conv+Add+Relu"
std::string groups_text(const Graph& graph, const FusionFacts& facts, bool fusing = true) {
  std::string text;
  for (const Group& group : form_groups(graph, facts, fusing)) {
    text += (text.empty() ? "" : " ") + group.node(graph).op;
    for (const Follower& follower : group.followers) {
      for (const graph::NodeId id : follower.nodes) text += "+" + graph.node(id).op;
    }
  }
  return text;
}

std::string groups_text(const Graph& graph) {
  return groups_text(graph, facts_of(graph));
}

TEST(Fusion, JoinsConvolutionSumAndActivation) {
  const Graph graph = testing::residual_block();
  EXPECT_EQ(groups_text(graph), "Conv+Relu Conv+Add+Relu");
  EXPECT_EQ(groups_text(graph, facts_of(graph), false), "Conv Relu Conv Add Relu");
}

TEST(Fusion, StopsAtTensorsThatAreAskedFor) {
  const Graph graph = testing::residual_block();
  EXPECT_EQ(groups_text(graph, facts_of(graph, {"a"})), "Conv Relu Conv+Add+Relu");
  EXPECT_EQ(groups_text(graph, facts_of(graph, {"c"})), "Conv+Relu Conv Add+Relu");
  EXPECT_EQ(groups_text(graph, facts_of(graph, {"sum"})), "Conv+Relu Conv+Add Relu");
}

TEST(Fusion, GivesASharedSumToTheFirstOfTwoConvolutions) {
  testing::NetworkBuilder b(1);
  const TensorId x = b.input({1, 4, 5, 5});
  b.output(b.like_first("Add", {b.conv(x, 4, 3), b.conv(x, 4, 1)}));
  // The group runs where its last node stands, behind the convolution whose output it adds.
  EXPECT_EQ(groups_text(b.build()), "Conv Conv+Add");
}

TEST(Fusion, LeavesDoublingAlone) {
  testing::NetworkBuilder b(1);
  const TensorId c = b.conv(b.input({1, 4, 5, 5}), 4, 3);
  b.output(b.like_first("Add", {c, c}));
  EXPECT_EQ(groups_text(b.build()), "Conv Add");
}

TEST(Fusion, LeavesABroadcastSumAlone) {
  testing::NetworkBuilder b(1);
  const TensorId x = b.input({1, 4, 5, 5});
  const TensorId narrow = b.shaped("GlobalAveragePool", {x}, {1, 4, 1, 1});
  b.output(b.like_first("Add", {b.conv(x, 4, 3), narrow}));
  EXPECT_EQ(groups_text(b.build()), "GlobalAveragePool Conv Add");
}

TEST(Fusion, SeesSigmoidGatesAndSumsBehindThem) {
  testing::NetworkBuilder b(1);
  const TensorId x = b.input({1, 4, 5, 5});
  b.output(b.like_first("Add", {b.silu(b.conv(x, 4, 3)), x}));
  EXPECT_EQ(groups_text(b.build()), "Conv+Sigmoid+Mul+Add");
}

TEST(Fusion, LeavesAGateWithASecondReaderAlone) {
  testing::NetworkBuilder b(1);
  const TensorId c = b.conv(b.input({1, 4, 5, 5}), 4, 3);
  const TensorId gate = b.like_first("Sigmoid", {c});
  b.output(b.like_first("Mul", {c, gate}));
  b.output(b.like_first("Neg", {gate}));
  EXPECT_EQ(groups_text(b.build()), "Conv Sigmoid Mul Neg");
}

TEST(Fusion, LeavesActivationsWithComputedBoundsAlone) {
  testing::NetworkBuilder b(1);
  const TensorId x = b.input({1, 4, 5, 5});
  const TensorId bound = b.builder().input("bound", DType::kFloat32, {});
  b.output(b.like_first("Clip", {b.conv(x, 4, 3), bound}));
  EXPECT_EQ(groups_text(b.build()), "Conv Clip");
}

TEST(Fusion, SeesChannelShuffles) {
  testing::NetworkBuilder b(1);
  b.output(b.channel_shuffle(b.input({1, 6, 5, 5}), 2));
  EXPECT_EQ(groups_text(b.build()), "Reshape+Transpose+Reshape");
}

}  // namespace
}  // namespace cleave::exec
