#include <gtest/gtest.h>

#include "search/solver.h"
#include "unit/search/small_problems.h"

namespace cleave::search {
namespace {

using testing::one_unit_problem;
using testing::residual_problem;

TEST(AutoSplit, PricesBothTensorsOfAResidualCut) {
  // Priced by one tensor, the cut after b looks like 5 bytes; t crosses as well.
  Problem problem = residual_problem();
  problem.units[2].edge_s.clear();
  const Outcome outcome = solve(problem, "autosplit");
  ASSERT_EQ(outcome.status, Status::kFeasible);
  double bytes = 0;
  for (const auto& [t, bits] : outcome.decision.wire_bits) {
    for (const WireOption& option : problem.tensors[static_cast<std::size_t>(t)].wire) {
      if (option.bits == bits) bytes += static_cast<double>(option.bytes);
    }
  }
  EXPECT_DOUBLE_EQ(outcome.evaluation.link_s, 1.0 + bytes);
}

TEST(AutoSplit, FallsBackToCloudOnly) {
  Problem problem = one_unit_problem();
  problem.limits.edge_memory_bytes = 0;
  const Outcome outcome = solve(problem, "autosplit");
  EXPECT_EQ(outcome.status, Status::kFeasible);
  EXPECT_EQ(outcome.decision.on_edge, std::vector<bool>{false});
  EXPECT_DOUBLE_EQ(outcome.evaluation.latency_s, 8.0);
}

TEST(AutoSplit, ReportsAnHonestGap) {
  const Outcome outcome = solve(residual_problem(), "autosplit");
  ASSERT_EQ(outcome.status, Status::kFeasible);
  EXPECT_GE(outcome.evaluation.latency_s, outcome.lower_bound_s);
  EXPECT_NEAR(outcome.gap_ratio, 1 - outcome.lower_bound_s / outcome.evaluation.latency_s, 1e-12);
}

/// A chain of `units` with three widths everywhere: far too large for exhaustive.
Problem long_chain(int units) {
  Problem p;
  const auto tensor = [](int i, bool input) {
    ProblemTensor t;
    t.name = "t" + std::to_string(i);
    t.elements = 400 / (i + 1);
    for (const int bits : input ? std::vector<int>{8} : std::vector<int>{2, 4, 8}) {
      t.activation.push_back({bits, 1.0 / (1 << bits)});
      t.wire.push_back({bits, (t.elements * bits + 7) / 8, 1.0 / (1 << bits)});
    }
    return t;
  };
  p.tensors.push_back(tensor(0, true));
  for (int i = 0; i < units; ++i) {
    p.tensors.push_back(tensor(i + 1, false));
    ProblemUnit u;
    u.name = "u" + std::to_string(i);
    u.inputs = {i};
    u.outputs = {i + 1};
    for (const int bits : {2, 4, 8}) {
      u.weight.push_back({bits, 10 * bits, 1.0 / (1 << bits)});
      for (const int a : {2, 4, 8}) u.edge_s[bits][a] = 0.5 + 0.01 * bits + 0.002 * a;
    }
    u.cloud_s = 0.01;
    p.units.push_back(u);
  }
  p.inputs = {0};
  p.outputs = {units};
  p.link = {10, 0.1, 0, 10, 1};
  p.finish();
  return p;
}

TEST(Lagrange, ProvesTheOptimumWhereNothingIsLimited) {
  const Outcome outcome = solve(long_chain(60), "lagrange");
  EXPECT_EQ(outcome.status, Status::kOptimal);
  EXPECT_LE(outcome.gap_ratio, 1e-9);
}

TEST(Lagrange, IsNeverWorseThanAutoSplit) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Problem problem = testing::random_problem(seed);
    const Outcome autosplit = solve(problem, "autosplit");
    if (autosplit.status != Status::kFeasible) continue;
    EXPECT_LE(solve(problem, "lagrange").evaluation.latency_s, autosplit.evaluation.latency_s * (1 + 1e-12)) << seed;
  }
  Problem problem = long_chain(60);
  for (const double distortion : {0.02, 0.1, 0.5, 2.0, 10.0}) {
    problem.limits.distortion = distortion;
    EXPECT_LE(solve(problem, "lagrange").evaluation.latency_s, solve(problem, "autosplit").evaluation.latency_s);
  }
}

TEST(Lagrange, FindsTheOptimumOfNearlyEverySmallProblem) {
  int optimal = 0;
  int feasible = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    const Problem problem = testing::random_problem(seed);
    const Outcome best = solve(problem, "exhaustive");
    if (best.status != Status::kOptimal) continue;
    ++feasible;
    if (solve(problem, "lagrange").evaluation.latency_s <= best.evaluation.latency_s * (1 + 1e-9)) ++optimal;
  }
  EXPECT_GE(optimal, feasible * 98 / 100);
}

TEST(Lagrange, FindsAnEdgeSetThatIsNoPrefixOfTheSchedule) {
  for (const testing::Instance& instance : testing::instances()) {
    if (instance.name != "not_a_prefix") continue;
    EXPECT_DOUBLE_EQ(solve(instance.problem, "lagrange").evaluation.latency_s, instance.latency_s);
    return;
  }
  FAIL() << "the instance is gone";
}

TEST(Lagrange, SpendsBitsThatCostNoTime) {
  Problem problem = one_unit_problem();  // y's width costs nothing on the edge
  const Outcome outcome = solve(problem, "lagrange");
  EXPECT_DOUBLE_EQ(outcome.evaluation.latency_s, 6.0);
  EXPECT_EQ(outcome.decision.activation_bits.at(1), 8);
}

TEST(Heuristics, NameTheConstraintOfALargeInfeasibleProblem) {
  Problem problem = long_chain(60);
  problem.limits.distortion = 1e-6;  // the input alone costs 2^-8 on the wire
  for (const char* solver : {"autosplit", "lagrange"}) {
    const Outcome outcome = solve(problem, solver);
    ASSERT_EQ(outcome.status, Status::kInfeasible) << solver;
    EXPECT_EQ(outcome.infeasibility->tightest, "distortion");
    EXPECT_DOUBLE_EQ(outcome.infeasibility->needed, 1.0 / 256);
  }
}

TEST(Heuristics, StopInTimeWithWhatTheyHave) {
  std::stop_source source;
  source.request_stop();
  SolveOptions options;
  options.stop = source.get_token();
  EXPECT_EQ(solve(long_chain(60), "autosplit", options).status, Status::kOutOfTime);
  const Outcome outcome = solve(long_chain(60), "lagrange", options);  // not splitting takes no search
  ASSERT_EQ(outcome.status, Status::kFeasible);
  for (const char* plain : {"cloud_only", "edge_only_8bit"}) {
    const Outcome other = solve(long_chain(60), plain);
    if (other.status == Status::kFeasible) {
      EXPECT_LE(outcome.evaluation.latency_s, other.evaluation.latency_s) << plain;
    }
  }
}

TEST(TimeLimit, EndsALongSearchWithTheBestSoFar) {
  SolveOptions options;
  options.time_limit_s = 0.2;
  options.max_decisions = INT64_MAX;
  Problem problem = long_chain(12);
  for (ProblemUnit& unit : problem.units) unit.cloud_s = 5;  // everything on the edge: 3^24 choices, much alike
  problem.limits.distortion = 1.0;
  const Outcome outcome = solve(problem, "exhaustive", options);
  EXPECT_TRUE(outcome.status == Status::kFeasible || outcome.status == Status::kOutOfTime)
      << status_name(outcome.status);
}

}  // namespace
}  // namespace cleave::search
