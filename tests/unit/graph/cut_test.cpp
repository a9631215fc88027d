#include "graph/cut.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "helpers.h"

namespace cleave::graph {
namespace {

using testing::contains;
using testing::error_of;

/// A random network of additions, activations and splits; every tensor that nobody reads is an output.
Graph random_graph() {
  GraphBuilder b;
  std::vector<TensorId> tensors;
  const int inputs = *rc::gen::inRange(1, 3);
  for (int i = 0; i < inputs; ++i) tensors.push_back(b.input("in" + std::to_string(i), DType::kFloat32, {1, 4}));
  std::set<TensorId> unread;
  const int nodes = *rc::gen::inRange(1, 12);
  const auto pick = [&tensors, &unread] {
    const TensorId id = tensors[*rc::gen::inRange<std::size_t>(0, tensors.size())];
    unread.erase(id);
    return id;
  };
  for (int n = 0; n < nodes; ++n) {
    const std::string name = "t" + std::to_string(n);
    std::vector<TensorId> made;
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        made = b.node("Relu", {pick()}, {name});
        break;
      case 1:
        made = b.node("Add", {pick(), pick()}, {name});
        break;
      default:
        made = b.node("Split", {pick()}, {name + "a", name + "b"}, {{"axis", std::int64_t{1}}});
    }
    tensors.insert(tensors.end(), made.begin(), made.end());
    unread.insert(made.begin(), made.end());
  }
  for (const TensorId id : unread) b.output(id);
  if (*rc::gen::arbitrary<bool>() && !unread.contains(tensors.back())) b.output(tensors.back());
  return b.build();
}

Cut random_cut(const Graph& graph) {
  Cut cut = Cut::none(graph);
  for (std::size_t u = 0; u < cut.on_edge.size(); ++u) cut.on_edge[u] = *rc::gen::arbitrary<bool>();
  return cut;
}

/// A cut that is valid by construction: everything that some units need.
Cut random_closed_cut(const Graph& graph) {
  Cut cut = random_cut(graph);
  for (std::size_t n = graph.nodes().size(); n-- > 0;) {
    const UnitId reader = graph.unit_of(static_cast<NodeId>(n));
    if (!cut.on_edge[index(reader)]) continue;
    for (const TensorId id : graph.nodes()[n].inputs) {
      if (const auto producer = graph.producer(id)) cut.on_edge[index(graph.unit_of(*producer))] = true;
    }
  }
  // Units are visited by node order; a second sweep catches units whose nodes lie apart.
  return is_down_closed(graph, cut) ? cut : Cut::all(graph);
}

bool node_on_edge(const Graph& graph, const Cut& cut, NodeId id) {
  return cut.on_edge[index(graph.unit_of(id))];
}

bool made_on_edge(const Graph& graph, const Cut& cut, TensorId id) {
  const auto producer = graph.producer(id);
  return !producer || node_on_edge(graph, cut, *producer);
}

/// Every edge of the network once, from its definition: who makes the tensor, who reads it.
bool brute_force_closed(const Graph& graph, const Cut& cut) {
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    for (const TensorId id : graph.nodes()[n].inputs) {
      if (node_on_edge(graph, cut, static_cast<NodeId>(n)) && !made_on_edge(graph, cut, id)) return false;
    }
  }
  return true;
}

std::multiset<std::string> brute_force_crossing(const Graph& graph, const Cut& cut, bool result_to_cloud) {
  std::multiset<std::string> crossing;
  for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
    const auto id = static_cast<TensorId>(i);
    if (!made_on_edge(graph, cut, id)) continue;
    bool wanted = result_to_cloud && graph.is_output(id) && graph.producer(id);
    for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
      const auto& inputs = graph.nodes()[n].inputs;
      const bool reads = std::find(inputs.begin(), inputs.end(), id) != inputs.end();
      wanted |= reads && !node_on_edge(graph, cut, static_cast<NodeId>(n));
    }
    if (wanted) crossing.insert(graph.tensor(id).name);
  }
  return crossing;
}

std::vector<std::string> names(const Graph& graph, const std::vector<TensorId>& ids) {
  std::vector<std::string> result;
  for (const TensorId id : ids) result.push_back(graph.tensor(id).name);
  return result;
}

TEST(Cut, IsDownClosedExactlyWhenNoEdgeUnitReadsFromTheCloud) {
  EXPECT_TRUE(rc::check([] {
    const Graph graph = random_graph();
    const Cut cut = random_cut(graph);
    RC_ASSERT(is_down_closed(graph, cut) == brute_force_closed(graph, cut));
    RC_ASSERT(is_down_closed(graph, Cut::none(graph)));
    RC_ASSERT(is_down_closed(graph, Cut::all(graph)));
  }));
}

TEST(Cut, CountsEveryCrossingTensorOnce) {
  EXPECT_TRUE(rc::check([] {
    const Graph graph = random_graph();
    const Cut cut = random_closed_cut(graph);
    for (const bool result_to_cloud : {false, true}) {
      const auto got = names(graph, crossing_tensors(graph, cut, result_to_cloud));
      RC_ASSERT(std::multiset<std::string>(got.begin(), got.end()) ==
                brute_force_crossing(graph, cut, result_to_cloud));
    }
  }));
}

TEST(Cut, WhatCrossesIsEnoughForTheCloudAndCanBeMadeOnTheEdge) {
  EXPECT_TRUE(rc::check([] {
    const Graph graph = random_graph();
    const Cut cut = random_closed_cut(graph);
    const auto crossing = names(graph, crossing_tensors(graph, cut));
    std::vector<std::string> cloud_outputs;
    for (const TensorId id : graph.outputs()) {
      if (!made_on_edge(graph, cut, id)) cloud_outputs.push_back(graph.tensor(id).name);
    }
    if (cloud_outputs.empty()) return;
    const Graph cloud = extract(graph, crossing, cloud_outputs);
    for (const Node& node : cloud.nodes()) {
      const TensorId made = *graph.find(cloud.tensor(node.outputs.front()).name);
      RC_ASSERT(!made_on_edge(graph, cut, made));
    }
    const Graph edge = extract(graph, names(graph, {graph.inputs().begin(), graph.inputs().end()}), crossing);
    for (const Node& node : edge.nodes()) {
      RC_ASSERT(made_on_edge(graph, cut, *graph.find(edge.tensor(node.outputs.front()).name)));
    }
  }));
}

TEST(Cut, AtTensorsHoldsExactlyTheirAncestors) {
  EXPECT_TRUE(rc::check([] {
    const Graph graph = random_graph();
    const std::size_t u = *rc::gen::inRange<std::size_t>(0, graph.units().size());
    const TensorId wanted = graph.units()[u].outputs.empty() ? TensorId::kNone : graph.units()[u].outputs.front();
    RC_PRE(wanted != TensorId::kNone);
    std::set<NodeId> ancestors;
    std::vector<TensorId> open{wanted};
    while (!open.empty()) {
      const auto producer = graph.producer(open.back());
      open.pop_back();
      if (!producer) continue;
      for (const NodeId id : graph.unit(graph.unit_of(*producer)).nodes) {
        if (!ancestors.insert(id).second) continue;
        const auto& inputs = graph.node(id).inputs;
        open.insert(open.end(), inputs.begin(), inputs.end());
      }
    }
    const Cut cut = cut_at(graph, {graph.tensor(wanted).name});
    RC_ASSERT(is_down_closed(graph, cut));
    for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
      const auto id = static_cast<NodeId>(n);
      RC_ASSERT(node_on_edge(graph, cut, id) == ancestors.contains(id));
    }
  }));
}

/// x -> Conv -> c -> Relu -> r ; s = r + x
Graph skip_net() {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {1, 2, 4, 4});
  const TensorId w = b.constant("w", testing::random_tensor({2, 2, 1, 1}, 1));
  const TensorId r = b.node("Relu", {b.node("Conv", {x, w}, {"c"}, {}, "conv")[0]}, {"r"})[0];
  b.output(b.node("Add", {r, x}, {"s"})[0]);
  return b.build();
}

TEST(Cut, CountsASkipConnectionBesideTheTrunk) {
  const Graph graph = skip_net();
  const Cut cut = cut_at(graph, {"r"});
  EXPECT_EQ(names(graph, crossing_tensors(graph, cut)), (std::vector<std::string>{"x", "r"}));
}

TEST(Cut, AtATensorInsideAUnitNamesTheNearestOnes) {
  const Error error = error_of([] { cut_at(skip_net(), {"c"}); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_TRUE(contains(error.what(), "'c' is inside the unit 'conv'")) << error.what();
  EXPECT_TRUE(contains(error.hint(), "'r'") && contains(error.hint(), "'x'")) << error.hint();
}

TEST(Cut, AtAnUnknownTensorSuggestsOne) {
  EXPECT_TRUE(contains(error_of([] { cut_at(skip_net(), {"w"}); }).what(), "no tensor 'w'"));
  EXPECT_TRUE(contains(error_of([] { cut_at(skip_net(), {"ss"}); }).what(), "did you mean 's'?"));
}

TEST(Cut, AtANetworkInputLeavesTheEdgeEmpty) {
  const Graph graph = skip_net();
  EXPECT_EQ(cut_at(graph, {"x"}).on_edge, Cut::none(graph).on_edge);
  EXPECT_EQ(cut_at(graph, {"s"}).on_edge, Cut::all(graph).on_edge);
  EXPECT_TRUE(crossing_tensors(graph, Cut::all(graph)).empty());
  EXPECT_EQ(names(graph, crossing_tensors(graph, Cut::all(graph), true)), (std::vector<std::string>{"s"}));
}

}  // namespace
}  // namespace cleave::graph
