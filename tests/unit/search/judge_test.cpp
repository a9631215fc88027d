#include <gtest/gtest.h>

#include "search/verify_plan.h"
#include "unit/search/small_problems.h"

namespace cleave::search {
namespace {

using testing::one_unit_problem;
using testing::residual_problem;

/// All on the edge at these bits.
Decision edge_decision(int weight, int y) {
  return {{true}, {{0, weight}}, {{0, 8}, {1, y}}, {}};
}
Decision cloud_decision() {
  return {{false}, {}, {}, {{0, 8}}};
}

/// a and b on the edge, add on the cloud; t and u cross.
Decision residual_decision() {
  return {{true, true, false}, {{0, 8}, {1, 4}}, {{0, 8}, {1, 4}}, {{1, 4}, {2, 8}}};
}

void expect_violation(const Problem& problem, const Decision& decision, const std::string& part) {
  const Judgement judgement = verify_plan(problem, decision);
  ASSERT_FALSE(judgement.violations.empty()) << "expected: " << part;
  EXPECT_NE(judgement.violations.front().find(part), std::string::npos) << judgement.violations.front();
}

TEST(Judge, PricesCloudOnlyByHand) {
  const Judgement j = verify_plan(one_unit_problem(), cloud_decision());
  EXPECT_TRUE(j.violations.empty());
  EXPECT_DOUBLE_EQ(j.evaluation.cloud_s, 1.0);
  EXPECT_DOUBLE_EQ(j.evaluation.link_s, 0.5 + (3 + 10) / 2.0);
  EXPECT_DOUBLE_EQ(j.evaluation.latency_s, 8.0);
  EXPECT_DOUBLE_EQ(j.evaluation.distortion, 0.01);
  EXPECT_EQ(j.evaluation.activation_bytes, 0);  // nothing runs on the edge, though the input crosses
  EXPECT_EQ(j.evaluation.wire_bytes, 10);
}

TEST(Judge, PricesEdgeOnlyByHand) {
  const Judgement j = verify_plan(one_unit_problem(), edge_decision(2, 4));
  EXPECT_TRUE(j.violations.empty());
  EXPECT_DOUBLE_EQ(j.evaluation.latency_s, 6.0);
  EXPECT_DOUBLE_EQ(j.evaluation.distortion, 0.5 + 0.01 + 0.2);
  EXPECT_EQ(j.evaluation.weight_bytes, 5);
  EXPECT_EQ(j.evaluation.activation_bytes, 10 + 2);
}

TEST(Judge, ChargesTheDownloadOnlyWhenTheResultIsOnTheOtherSide) {
  Problem problem = one_unit_problem();
  problem.result_at = ResultAt::kEdge;
  EXPECT_DOUBLE_EQ(verify_plan(problem, cloud_decision()).evaluation.latency_s, 8.0 + 16 / 4.0);
  EXPECT_DOUBLE_EQ(verify_plan(problem, edge_decision(2, 4)).evaluation.latency_s, 6.0);
  problem.result_at = ResultAt::kCloud;
  EXPECT_DOUBLE_EQ(verify_plan(problem, cloud_decision()).evaluation.latency_s, 8.0);
  Decision sent = edge_decision(2, 4);
  expect_violation(problem, sent, "wire bits of 'y' is not decided");
  sent.wire_bits[1] = 8;
  EXPECT_DOUBLE_EQ(verify_plan(problem, sent).evaluation.latency_s, 6.0 + 0.5 + (3 + 4) / 2.0);
}

TEST(Judge, PricesEveryCrossingTensorOnceAndTheWidestInput) {
  const Judgement j = verify_plan(residual_problem(), residual_decision());
  ASSERT_TRUE(j.violations.empty()) << j.violations.front();
  EXPECT_DOUBLE_EQ(j.evaluation.edge_s, 2.0 + 1.0);
  EXPECT_DOUBLE_EQ(j.evaluation.cloud_s, 0.125);
  EXPECT_DOUBLE_EQ(j.evaluation.link_s, 1.0 + 4 + 8);
  EXPECT_DOUBLE_EQ(j.evaluation.distortion, 0.3 + 0.1 + 0.1 + 0.01);
  EXPECT_EQ(j.evaluation.weight_bytes, 12 + 6);
  // During a: x (16) and t at a(t) = 4 bits (4). During b: t (4, it crosses and is read) and u at b(u) = 8 bits (8).
  EXPECT_EQ(j.evaluation.activation_bytes, 20);
}

TEST(Judge, HoldsASkippedTensorUntilItsLastUse) {
  Problem problem = residual_problem();
  const Decision all{{true, true, true}, {{0, 8}, {1, 4}}, {{0, 8}, {1, 8}, {2, 8}, {3, 8}}, {}};
  EXPECT_EQ(verify_plan(problem, all).evaluation.activation_bytes, 16 + 8);
  problem.tensors[2].elements = 100;  // u: during b and add, t is held for add
  EXPECT_EQ(verify_plan(problem, all).evaluation.activation_bytes, 100 + 8 + 2);
}

TEST(Judge, KeepsCrossingInputsInMemoryToTheEnd) {
  Problem problem = residual_problem();
  problem.units[2].inputs = {0, 1, 2};  // add also reads x
  problem.finish();
  Decision decision = residual_decision();
  decision.wire_bits[0] = 8;
  // During b: x (16, crosses), t (4), u (8).
  EXPECT_EQ(verify_plan(problem, decision).evaluation.activation_bytes, 28);
}

TEST(Judge, RoundsBytesUp) {
  Problem problem = one_unit_problem();
  problem.tensors[1].elements = 3;
  EXPECT_EQ(verify_plan(problem, edge_decision(2, 4)).evaluation.activation_bytes, 10 + 2);
}

TEST(Judge, UsesTheColumnOfFewestBitsForAUnitWithoutInputs) {
  Problem problem = one_unit_problem();
  problem.units[0].inputs = {};
  problem.units[0].edge_s = {{2, {{4, 1.0}, {8, 2.0}}}, {8, {{4, 3.0}, {8, 4.0}}}};
  problem.finish();
  const Decision decision{{true}, {{0, 8}}, {{1, 8}}, {}};
  EXPECT_DOUBLE_EQ(verify_plan(problem, decision).evaluation.edge_s, 3.0);
}

TEST(Judge, NeverCountsAnInputThatIsAnOutputForTheDownload) {
  Problem problem = one_unit_problem();
  problem.outputs = {0, 1};
  problem.result_at = ResultAt::kEdge;
  problem.finish();
  const Judgement edge = verify_plan(problem, edge_decision(2, 4));
  EXPECT_TRUE(edge.violations.empty());
  EXPECT_DOUBLE_EQ(edge.evaluation.link_s, 0);
  const Judgement cloud = verify_plan(problem, cloud_decision());  // x has no a(x): no edge unit consumes it
  EXPECT_TRUE(cloud.violations.empty());
}

TEST(Judge, PricesASingleTensorWhenAsked) {
  // The last scheduled edge unit is b: its output u at b(u) = 8 bits, no round trip, no header; t is left out.
  Problem problem = residual_problem();
  problem.link.header_bytes = 100;
  EXPECT_DOUBLE_EQ(verify_plan(problem, residual_decision(), Pricing::kSingleTensor).evaluation.link_s, 8.0);
  // Nothing on the edge: the network inputs.
  const Decision none{{false, false, false}, {}, {}, {{0, 8}}};
  EXPECT_DOUBLE_EQ(verify_plan(problem, none, Pricing::kSingleTensor).evaluation.link_s, 16.0);
  // All on the edge: the result at its activation bits, though it does not cross.
  const Decision all{{true, true, true}, {{0, 8}, {1, 4}}, {{0, 8}, {1, 8}, {2, 8}, {3, 4}}, {}};
  EXPECT_DOUBLE_EQ(verify_plan(problem, all, Pricing::kSingleTensor).evaluation.link_s, 1.0);
}

TEST(Judge, RefusesPlansThatBreakALimit) {
  Problem problem = one_unit_problem();
  const auto check = [&problem](auto set, const std::string& name) {
    problem.limits = {};
    set(problem.limits, 0);
    EXPECT_TRUE(verify_plan(problem, edge_decision(2, 4)).violations.empty()) << name;
    set(problem.limits, 1);
    expect_violation(problem, edge_decision(2, 4), name);
  };
  check([](Limits& l, int less) { l.weight_bytes = 5 - less; }, "weight_bytes");
  check([](Limits& l, int less) { l.activation_bytes = 12 - less; }, "activation_bytes");
  check([](Limits& l, int less) { l.edge_memory_bytes = 17 - less; }, "edge_memory_bytes");
  check([](Limits& l, int less) { l.distortion = 0.71 - 1e-9 * less; }, "distortion");
}

TEST(Judge, RefusesAnEdgeUnitFedFromTheCloud) {
  const Decision decision{{false, true, false}, {{1, 4}}, {}, {{0, 8}}};
  expect_violation(residual_problem(), decision, "edge unit 'b' needs 't' from the cloud");
}

TEST(Judge, RefusesUnitsOnASideWhereTheyCannotRun) {
  Problem problem = one_unit_problem();
  problem.units[0].cloud_s.reset();
  expect_violation(problem, cloud_decision(), "unit 'conv' cannot run on the cloud");
  problem = one_unit_problem();
  problem.units[0].edge_s.clear();
  expect_violation(problem, edge_decision(2, 4), "unit 'conv' cannot run on the edge");
}

TEST(Judge, RefusesMissingAndSurplusDecisions) {
  const Problem problem = residual_problem();
  for (std::map<int, int> Decision::*which :
       {&Decision::weight_bits, &Decision::activation_bits, &Decision::wire_bits}) {
    Decision decision = residual_decision();
    const auto entries = decision.*which;
    for (const auto& [position, bits] : entries) {
      decision = residual_decision();
      (decision.*which).erase(position);
      expect_violation(problem, decision, "is not decided");
      (decision.*which)[position] = 3;
      expect_violation(problem, decision, "3 bits are not among the choices");
    }
    decision = residual_decision();
    (decision.*which)[which == &Decision::weight_bits ? 2 : 3] = 8;
    expect_violation(problem, decision, "is decided and must not be");
    decision = residual_decision();
    (decision.*which)[99] = 8;
    expect_violation(problem, decision, "there is no number 99");
  }
}

TEST(Judge, RefusesADecisionOfAnotherSize) {
  expect_violation(residual_problem(), cloud_decision(), "the decision has 1 units");
}

}  // namespace
}  // namespace cleave::search
