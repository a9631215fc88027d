#include <gtest/gtest.h>

#include "search/solver.h"
#include "unit/search/small_problems.h"

namespace cleave::search {
namespace {

bool has_plan(const Outcome& outcome) {
  return outcome.status == Status::kOptimal || outcome.status == Status::kFeasible;
}

std::vector<std::string> edge_units(const Problem& problem, const Decision& decision) {
  std::vector<std::string> names;
  for (std::size_t u = 0; u < decision.on_edge.size(); ++u) {
    if (decision.on_edge[u]) names.push_back(problem.units[u].name);
  }
  return names;
}

TEST(Instances, AreThere) {
  EXPECT_GE(testing::instances().size(), 6U);
}

TEST(Exhaustive, FindsTheKnownOptimumOfEveryInstance) {
  for (const testing::Instance& instance : testing::instances()) {
    const Outcome outcome = solve(instance.problem, "exhaustive");
    ASSERT_EQ(status_name(outcome.status), instance.status) << instance.name;
    if (!has_plan(outcome)) continue;
    EXPECT_DOUBLE_EQ(outcome.evaluation.latency_s, instance.latency_s) << instance.name;
    EXPECT_EQ(edge_units(instance.problem, outcome.decision), instance.edge_units) << instance.name;
  }
}

TEST(EverySolver, RunsEveryInstance) {
  for (const testing::Instance& instance : testing::instances()) {
    for (const SolverRow& row : solver_table()) {
      const Outcome outcome = solve(instance.problem, row.name);
      if (!has_plan(outcome)) continue;
      EXPECT_EQ(instance.status, "optimal") << row.name << " found a plan for " << instance.name;
      EXPECT_GE(outcome.evaluation.latency_s, instance.latency_s * (1 - 1e-12))
          << row.name << " beats the known optimum of " << instance.name;
    }
  }
}

}  // namespace
}  // namespace cleave::search
