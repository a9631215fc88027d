#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "search/solver.h"
#include "unit/search/small_problems.h"

namespace cleave::search {
namespace {

using testing::one_unit_problem;
using testing::residual_problem;

Infeasibility infeasibility(const Problem& problem) {
  const Outcome outcome = solve(problem, "exhaustive");
  EXPECT_EQ(outcome.status, Status::kInfeasible);
  return outcome.infeasibility.value_or(Infeasibility{});
}

TEST(Exhaustive, FindsTheHandComputedOptimum) {
  const Outcome outcome = solve(one_unit_problem(), "exhaustive");
  EXPECT_EQ(outcome.status, Status::kOptimal);
  EXPECT_DOUBLE_EQ(outcome.evaluation.latency_s, 6.0);
  EXPECT_DOUBLE_EQ(outcome.lower_bound_s, 6.0);
  EXPECT_DOUBLE_EQ(outcome.gap_ratio, 0.0);
  EXPECT_EQ(outcome.decision.weight_bits, (std::map<int, int>{{0, 2}}));
  EXPECT_EQ(outcome.decision.activation_bits, (std::map<int, int>{{0, 8}, {1, 4}}));  // 4 and 8 tie: fewer bits
}

TEST(Exhaustive, SpendsBitsWhereTheDistortionLimitAsks) {
  Problem problem = one_unit_problem();
  problem.limits.distortion = 0.6;
  Outcome outcome = solve(problem, "exhaustive");
  EXPECT_DOUBLE_EQ(outcome.evaluation.latency_s, 6.0);
  EXPECT_EQ(outcome.decision.activation_bits.at(1), 8);
  problem.limits.distortion = 0.1;  // 8-bit weights cost 9 s on the edge, the cloud 8 s
  outcome = solve(problem, "exhaustive");
  EXPECT_DOUBLE_EQ(outcome.evaluation.latency_s, 8.0);
  EXPECT_EQ(outcome.decision.on_edge, std::vector<bool>{false});
  problem.result_at = ResultAt::kEdge;  // 12 s by the cloud
  outcome = solve(problem, "exhaustive");
  EXPECT_DOUBLE_EQ(outcome.evaluation.latency_s, 9.0);
}

TEST(Exhaustive, CountsTheDistortionLimitUpToARelativeTrillionth) {
  Problem problem = one_unit_problem();
  problem.limits.distortion = 0.01 * (1 - 0.5e-12);
  EXPECT_EQ(solve(problem, "exhaustive").status, Status::kOptimal);
  problem.limits.distortion = 0.01 * (1 - 2e-12);
  EXPECT_EQ(solve(problem, "exhaustive").status, Status::kInfeasible);
}

TEST(Exhaustive, BreaksTiesByFewerEdgeUnitsThenEarlierOnes) {
  Problem problem = residual_problem();
  for (ProblemUnit& unit : problem.units) {
    unit.cloud_s = 0;
    for (auto& [weight, row] : unit.edge_s) {
      for (auto& [activation, seconds] : row) seconds = 0;
    }
  }
  for (ProblemTensor& tensor : problem.tensors) {
    for (WireOption& option : tensor.wire) option.bytes = 0;
  }
  problem.link.rtt_s = 0;
  problem.finish();
  EXPECT_EQ(solve(problem, "exhaustive").decision.on_edge, (std::vector<bool>{false, false, false}));
  problem.tensors[0].wire.clear();  // the input stays: a must run on the edge
  EXPECT_EQ(solve(problem, "exhaustive").decision.on_edge, (std::vector<bool>{true, false, false}));
}

TEST(Exhaustive, NamesTheLimitThatNoPlanMeets) {
  Problem problem = one_unit_problem();
  problem.limits.distortion = 0.005;
  const Infeasibility found = infeasibility(problem);
  EXPECT_EQ(found.tightest, "distortion");
  EXPECT_DOUBLE_EQ(found.needed, 0.01);
  EXPECT_DOUBLE_EQ(found.allowed, 0.005);
}

TEST(Exhaustive, NamesTheWorstOfSeveralHopelessLimits) {
  Problem problem = one_unit_problem();
  problem.units[0].cloud_s.reset();
  problem.limits.weight_bytes = 4;      // 5 needed: 1.25 times
  problem.limits.activation_bytes = 4;  // 12 needed: 3 times
  const Infeasibility found = infeasibility(problem);
  EXPECT_EQ(found.tightest, "activation_bytes");
  EXPECT_DOUBLE_EQ(found.needed, 12);
  EXPECT_DOUBLE_EQ(found.allowed, 4);
}

TEST(Exhaustive, NamesTheCheapestWayOutOfAConflict) {
  Problem problem = one_unit_problem();
  problem.units[0].cloud_s.reset();
  problem.limits.weight_bytes = 10;  // 2-bit weights only ...
  problem.limits.distortion = 0.25;  // ... which distort by 0.5: needs 0.53, or 20 bytes with 8 bits
  const Infeasibility found = infeasibility(problem);
  EXPECT_EQ(found.tightest, "weight_bytes");
  EXPECT_DOUBLE_EQ(found.needed, 20);
  EXPECT_DOUBLE_EQ(found.allowed, 10);
}

TEST(Exhaustive, SaysUnitsWhenSomethingCanRunNowhere) {
  Problem problem = residual_problem();
  problem.units[1].cloud_s.reset();
  problem.units[1].edge_s.clear();
  const Infeasibility found = infeasibility(problem);
  EXPECT_EQ(found.tightest, "units");
  EXPECT_DOUBLE_EQ(found.needed, 3);
  EXPECT_DOUBLE_EQ(found.allowed, 1);
}

TEST(Exhaustive, RefusesProblemsThatAreTooLarge) {
  SolveOptions options;
  options.max_decisions = 5;
  try {
    solve(residual_problem(), "exhaustive", options);
    FAIL() << "it must refuse";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_NE(error.hint().find("autosplit"), std::string::npos);
  }
}

TEST(Exhaustive, SaysOutOfTimeWhenStoppedBeforeAnyPlan) {
  std::stop_source source;
  source.request_stop();
  SolveOptions options;
  options.stop = source.get_token();
  EXPECT_EQ(solve(residual_problem(), "exhaustive", options).status, Status::kOutOfTime);
}

TEST(Exhaustive, SolvesANetworkWithoutUnits) {
  Problem problem = one_unit_problem();
  problem.units.clear();
  problem.tensors.pop_back();
  problem.outputs = {0};
  problem.finish();
  EXPECT_DOUBLE_EQ(solve(problem, "exhaustive").evaluation.latency_s, 0);
  problem.result_at = ResultAt::kCloud;
  EXPECT_DOUBLE_EQ(solve(problem, "exhaustive").evaluation.latency_s, 0.5 + 6.5);
}

TEST(SolverTable, SuggestsANameForATypingError) {
  try {
    solve(one_unit_problem(), "exhaustiv");
    FAIL() << "it must refuse";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("did you mean 'exhaustive'?"), std::string::npos);
  }
}

TEST(Outcome, HasTheKeysOfTheContract) {
  const Problem problem = one_unit_problem();
  const Json json = solve(problem, "exhaustive").to_json(problem);
  EXPECT_EQ(json["schema"], "cleave.outcome/1");
  EXPECT_EQ(json["status"], "optimal");
  EXPECT_EQ(json["latency_s"], 6.0);
  EXPECT_EQ(json["edge_units"], (Json{"conv"}));
  EXPECT_EQ(json["weight_bits"], (Json{{"conv", 2}}));
  EXPECT_EQ(json["activation_bits"], (Json{{"x", 8}, {"y", 4}}));
  EXPECT_EQ(json["wire_bits"], Json::object());
  EXPECT_EQ(json["weight_bytes"], 5);
  EXPECT_EQ(json["activation_bytes"], 12);
  EXPECT_FALSE(json.contains("infeasible"));
}

TEST(Outcome, SaysWhatAnInfeasibleProblemNeeds) {
  Problem problem = one_unit_problem();
  problem.limits.distortion = 0.005;
  const Json json = solve(problem, "exhaustive").to_json(problem);
  EXPECT_EQ(json["status"], "infeasible");
  EXPECT_TRUE(json["latency_s"].is_null());
  EXPECT_EQ(json["infeasible"], (Json{{"tightest", "distortion"}, {"needed", 0.01}, {"allowed", 0.005}}));
}

}  // namespace
}  // namespace cleave::search
