#include "search/build_problem.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "graph/builder.h"
#include "quant/distortion.h"
#include "quant/packing.h"
#include "search/solver.h"
#include "support/error_kind.h"

namespace cleave::search {
namespace {

using cleave::testing::kind_of;
using graph::GraphBuilder;
using graph::TensorId;

/// x (1x1x4x4) -> conv 1x1, 2 filters -> a; relu(a) joined -> conv 1x1, 1 filter -> b; a, c = conv(a) -> Add -> y.
graph::Graph small_graph() {
  GraphBuilder b;
  const auto weights = [&b](const std::string& name, Shape shape) {
    Tensor w(DType::kFloat32, shape);
    float value = -0.7F;
    for (float& x : w.mutable_data<float>()) x = (value += 0.45F);
    return b.constant(name, w);
  };
  const TensorId x = b.input("x", DType::kFloat32, {1, 1, 4, 4});
  const TensorId a = b.node("Conv", {x, weights("wa", {2, 1, 1, 1})}, {"a"})[0];
  const TensorId c = b.node("Conv", {a, weights("wc", {2, 2, 1, 1})}, {"c"})[0];
  const TensorId y = b.node("Add", {a, c}, {"y"})[0];
  for (const TensorId t : {a, c, y}) b.set_shape(t, DType::kFloat32, {1, 2, 4, 4});
  b.output(y);
  return b.build();
}

quant::CalibrationTable table_of(const graph::Graph& graph) {
  quant::CalibrationTable table;
  table.graph_fingerprint = graph.fingerprint();
  for (const char* name : {"x", "a", "c", "y"}) {
    quant::TensorStatistics& statistics = table.tensors[name];
    for (int i = 0; i < 100; ++i) statistics.histogram.add(0.01F * static_cast<float>(i * i) - 3.0F);
    statistics.counts.min = -3.0F;
    statistics.counts.max = 0.01F * 99 * 99 - 3.0F;
    statistics.counts.count = 100;
  }
  return table;
}

Scenario scenario() {
  Scenario s;
  s.edge.model = cost::UnitModel{1, 1};
  s.cloud.model = cost::UnitModel{0.001, 0.001};
  s.link.upload_bytes_per_s = 100;
  s.link.download_bytes_per_s = 200;
  s.link.rtt_s = 0.25;
  s.link.header_bytes = 8;
  return s;
}

TEST(BuildProblem, ListsUnitsAndTensorsInScheduleOrder) {
  const graph::Graph graph = small_graph();
  const Problem problem = build_problem(graph, table_of(graph), scenario());
  ASSERT_EQ(problem.units.size(), 3U);
  ASSERT_EQ(problem.tensors.size(), 4U);
  EXPECT_EQ(problem.tensors[0].name, "x");
  EXPECT_EQ(problem.tensors[1].name, "a");
  EXPECT_EQ(problem.tensors[1].consumers, (std::vector<int>{1, 2}));
  EXPECT_EQ(problem.inputs, std::vector<int>{0});
  EXPECT_EQ(problem.outputs, std::vector<int>{3});
  EXPECT_TRUE(problem.units[0].has_weights);
  EXPECT_FALSE(problem.units[2].has_weights);
  EXPECT_DOUBLE_EQ(problem.link.bytes_per_s, 100);
  EXPECT_DOUBLE_EQ(problem.link.result_bytes, 32 * 4);
}

TEST(BuildProblem, TakesDistortionsThatWereMeasuredAtTheOutputs) {
  const graph::Graph graph = small_graph();
  Scenario s = scenario();
  s.weight_bits = s.activation_bits = s.wire_bits = {4, 32};
  s.damage = MeasuredDamage{};
  for (const graph::Unit& unit : graph.units()) {
    if (unit.weight_elements > 0) s.damage->weights[unit.name] = {{4, 0.5}};
  }
  s.damage->activations = {{"x", {{8, 0.125}}}, {"a", {{3, 9}, {4, 0.25}}}, {"c", {{4, 2}}}, {"y", {{4, 3}}}};
  const Problem problem = build_problem(graph, table_of(graph), s);
  EXPECT_DOUBLE_EQ(problem.units[0].weight[0].distortion, 0.5);
  EXPECT_DOUBLE_EQ(problem.units[0].weight[1].distortion, 0);
  EXPECT_DOUBLE_EQ(problem.tensors[0].activation[0].distortion, 0.125);
  EXPECT_DOUBLE_EQ(problem.tensors[1].activation[0].distortion, 0.25);
  EXPECT_DOUBLE_EQ(problem.tensors[1].wire[0].distortion, 0.25);
  EXPECT_DOUBLE_EQ(problem.tensors[1].wire[1].distortion, 0);
  s.damage->activations["a"].erase(4);
  EXPECT_EQ(kind_of([&] { build_problem(graph, table_of(graph), s); }), ErrorKind::kInvalidInput);
  s.damage->activations.erase("a");
  EXPECT_EQ(kind_of([&] { build_problem(graph, table_of(graph), s); }), ErrorKind::kInvalidInput);
}

TEST(BuildProblem, KeepsNetworkInputsAtTheirBits) {
  const graph::Graph graph = small_graph();
  Scenario s = scenario();
  Problem problem = build_problem(graph, table_of(graph), s);
  ASSERT_EQ(problem.tensors[0].activation.size(), 1U);
  EXPECT_EQ(problem.tensors[0].activation[0].bits, 8);
  ASSERT_EQ(problem.tensors[0].wire.size(), 1U);
  EXPECT_EQ(problem.tensors[0].wire[0].bytes, 16);
  s.wire_bits = {4, 32};
  problem = build_problem(graph, table_of(graph), s);
  ASSERT_EQ(problem.tensors[0].wire.size(), 2U);
  EXPECT_EQ(problem.tensors[0].wire[1].bits, 32);
  EXPECT_EQ(problem.tensors[0].wire[1].bytes, 64);
  EXPECT_DOUBLE_EQ(problem.tensors[0].wire[1].distortion, 0);
}

TEST(BuildProblem, TakesBytesAndDistortionsFromQuant) {
  const graph::Graph graph = small_graph();
  const quant::CalibrationTable table = table_of(graph);
  Scenario s = scenario();
  s.activation_bits = {8, 2, 32, 2};
  s.weight_bits = {8, 3};
  const Problem problem = build_problem(graph, table, s);
  const ProblemTensor& a = problem.tensors[1];
  ASSERT_EQ(a.activation.size(), 3U);
  const auto rows =
      quant::activation_distortion(table.tensor("a").activation_values(), {quant::Bits{2}, quant::Bits{8}}, s.clip);
  EXPECT_DOUBLE_EQ(a.activation[0].distortion, rows[0].distortion);
  EXPECT_DOUBLE_EQ(a.activation[1].distortion, rows[1].distortion);
  EXPECT_DOUBLE_EQ(a.activation[2].distortion, 0);
  EXPECT_GT(a.activation[0].distortion, a.activation[1].distortion);
  EXPECT_EQ(a.wire[1].bytes, quant::wire_bytes(32, quant::Bits{4}));
  EXPECT_EQ(problem.units[1].weight[0].bytes, 2);  // 4 weights of 3 bits
  EXPECT_EQ(problem.units[1].weight[1].bytes, 4);
  EXPECT_GT(problem.units[1].weight[0].distortion, problem.units[1].weight[1].distortion);
}

TEST(BuildProblem, PricesUnitsOnTheDevices) {
  const graph::Graph graph = small_graph();
  Scenario s = scenario();
  s.activation_bits = {4, 8};
  const Problem problem = build_problem(graph, table_of(graph), s);
  const ProblemUnit& conv = problem.units[1];
  const cost::UnitWork work = cost::describe(graph, graph::UnitId{1});
  EXPECT_DOUBLE_EQ(conv.edge_s.at(2).at(4),
                   *cost::unit_seconds(s.edge, conv.name, work, quant::Bits{2}, quant::Bits{4}));
  EXPECT_DOUBLE_EQ(*conv.cloud_s, *cost::unit_seconds(s.cloud, conv.name, work, quant::Bits{32}, quant::Bits{32}));
  EXPECT_EQ(problem.units[0].edge_s.at(2).size(), 1U);  // its input is x, at 8 bits
}

TEST(BuildProblem, KeepsUnitsOffADeviceThatLacksTheirOperator) {
  const graph::Graph graph = small_graph();
  Scenario s = scenario();
  s.edge.operators = {"Conv"};
  const Problem problem = build_problem(graph, table_of(graph), s);
  EXPECT_FALSE(problem.units[1].edge_s.empty());
  EXPECT_TRUE(problem.units[2].edge_s.empty());
  EXPECT_TRUE(problem.units[2].cloud_s.has_value());
}

TEST(BuildProblem, TakesTheMemoryOfTheDeviceUnlessToldOtherwise) {
  const graph::Graph graph = small_graph();
  Scenario s = scenario();
  EXPECT_FALSE(build_problem(graph, table_of(graph), s).limits.edge_memory_bytes.has_value());
  s.edge.memory_bytes = 1000;
  EXPECT_EQ(build_problem(graph, table_of(graph), s).limits.edge_memory_bytes, 1000);
  s.limits.edge_memory_bytes = 500;
  EXPECT_EQ(build_problem(graph, table_of(graph), s).limits.edge_memory_bytes, 500);
}

TEST(BuildProblem, PinsACut) {
  const graph::Graph graph = small_graph();
  Scenario s = scenario();
  s.pinned_cut = {"a"};
  const Problem problem = build_problem(graph, table_of(graph), s);
  for (const char* solver : {"exhaustive", "autosplit"}) {
    EXPECT_EQ(solve(problem, solver).decision.on_edge, (std::vector<bool>{true, false, false})) << solver;
  }
}

TEST(BuildProblem, RefusesAPinnedCutThatIsNotWhole) {
  const graph::Graph graph = small_graph();
  Scenario s = scenario();
  s.pinned_cut = {"c"};
  try {
    build_problem(graph, table_of(graph), s);
    FAIL() << "a crosses too";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    EXPECT_NE(std::string(error.what()).find("'a' crosses too"), std::string::npos) << error.what();
  }
  s.pinned_cut = {"c", "a"};
  const Problem problem = build_problem(graph, table_of(graph), s);
  EXPECT_EQ(solve(problem, "exhaustive").decision.on_edge, (std::vector<bool>{true, true, false}));
}

TEST(BuildProblem, NeverCutsAtAnIntegerTensor) {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {1, 8});
  const TensorId i = b.node("ArgMax", {x}, {"i"})[0];
  const TensorId f = b.node("Cast", {i}, {"y"}, {{"to", std::int64_t{1}}})[0];
  b.set_shape(i, DType::kInt64, {1, 1});
  b.set_shape(f, DType::kFloat32, {1, 1});
  b.output(f);
  const graph::Graph graph = b.build();
  const Problem problem = build_problem(graph, table_of(graph), scenario());
  ASSERT_EQ(problem.tensors[1].name, "i");
  EXPECT_TRUE(problem.tensors[1].wire.empty());
  ASSERT_EQ(problem.tensors[1].activation.size(), 1U);
  EXPECT_EQ(problem.tensors[1].activation[0].bits, 32);
  const std::vector<bool> on_edge = solve(problem, "exhaustive").decision.on_edge;
  EXPECT_EQ(on_edge[0], on_edge[1]);
}

TEST(BuildProblem, RefusesTheTableOfAnotherGraph) {
  const graph::Graph graph = small_graph();
  quant::CalibrationTable table = table_of(graph);
  table.graph_fingerprint = "other";
  try {
    build_problem(graph, table, scenario());
    FAIL() << "it must refuse";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kStale);
  }
}

TEST(FullPrecisionProblem, HasTheFloatWidthEverywhereAndRawInputs) {
  const graph::Graph graph = small_graph();
  Scenario s = scenario();
  s.edge.float_bits = quant::Bits{16};
  s.limits.distortion = 0.03;
  s.limits.weight_bytes = 1000;
  s.pinned_cut = {"a"};
  s.damage = MeasuredDamage{};  // knows of no 16 bits, nor need it
  const auto problem = full_precision_problem(graph, table_of(graph), s);
  ASSERT_TRUE(problem.has_value());
  for (const ProblemTensor& tensor : problem->tensors) {
    ASSERT_EQ(tensor.activation.size(), 1U) << tensor.name;
    EXPECT_EQ(tensor.activation[0].bits, 16) << tensor.name;
    EXPECT_EQ(tensor.activation[0].distortion, 0) << tensor.name;
  }
  ASSERT_EQ(problem->tensors[0].wire.size(), 1U);
  EXPECT_EQ(problem->tensors[0].wire[0].bytes, 16);  // x: 16 values of 8 bits
  EXPECT_EQ(problem->tensors[1].wire[0].bytes, 64);  // a: 32 of 16
  EXPECT_EQ(problem->units[0].weight[0].bytes, 4);
  EXPECT_DOUBLE_EQ(problem->units[0].edge_s.at(16).at(16), 32 + 4 + 32 + 64);  // MACs, and bytes at 16 bits
  EXPECT_FALSE(problem->limits.distortion.has_value());
  EXPECT_EQ(problem->limits.weight_bytes, 1000);
  for (const ProblemUnit& unit : problem->units) EXPECT_TRUE(unit.cloud_s && !unit.edge_s.empty()) << unit.name;
}

TEST(FullPrecisionProblem, IsNoneWhereTheDevicesTableLacksTheWidth) {
  const graph::Graph graph = small_graph();
  Scenario s = scenario();
  cost::TableModel model;
  for (const graph::Unit& unit : graph.units()) model.unit_s[unit.name] = {{"W8A8", 1.0}};
  s.edge.model = model;
  EXPECT_FALSE(full_precision_problem(graph, table_of(graph), s).has_value());
  for (auto& [name, row] : model.unit_s) row["W32A32"] = 2.0;
  s.edge.model = model;
  EXPECT_TRUE(full_precision_problem(graph, table_of(graph), s).has_value());
}

TEST(BuildProblem, IsTheSameTwice) {
  const graph::Graph graph = small_graph();
  EXPECT_EQ(to_text(build_problem(graph, table_of(graph), scenario()).to_json()),
            to_text(build_problem(graph, table_of(graph), scenario()).to_json()));
}

}  // namespace
}  // namespace cleave::search
