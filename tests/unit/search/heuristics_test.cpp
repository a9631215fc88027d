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

}  // namespace
}  // namespace cleave::search
