#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "core/error.h"
#include "search/solver.h"
#include "support/property.h"
#include "unit/search/small_problems.h"

namespace cleave::search {
namespace {

using testing::random_problem;

bool same(const Decision& a, const Decision& b) {
  return a.on_edge == b.on_edge && a.weight_bits == b.weight_bits && a.activation_bits == b.activation_bits &&
         a.wire_bits == b.wire_bits;
}

void expect_agreement(std::uint64_t seed, Pricing pricing) {
  const Problem problem = random_problem(seed);
  SolveOptions options;
  options.pricing = pricing;
  const Outcome oracle = solve(problem, "exhaustive", options);
  const Outcome outcome = solve(problem, "exact", options);
  ASSERT_EQ(outcome.status, oracle.status) << "seed " << seed;
  if (outcome.status == Status::kInfeasible) {
    EXPECT_EQ(outcome.infeasibility->tightest, oracle.infeasibility->tightest) << "seed " << seed;
    EXPECT_DOUBLE_EQ(outcome.infeasibility->needed, oracle.infeasibility->needed) << "seed " << seed;
    return;
  }
  EXPECT_DOUBLE_EQ(outcome.evaluation.latency_s, oracle.evaluation.latency_s) << "seed " << seed;
  EXPECT_NEAR(outcome.lower_bound_s, oracle.evaluation.latency_s, 1e-9 * oracle.evaluation.latency_s)
      << "seed " << seed;
  EXPECT_TRUE(same(outcome.decision, oracle.decision)) << "seed " << seed;
}

TEST(Exact, AgreesWithExhaustiveOnRandomProblems) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) expect_agreement(seed, Pricing::kExact);
}

TEST(Exact, AgreesWithExhaustiveUnderSingleTensorPricing) {
  for (std::uint64_t seed = 7000; seed < 7600; ++seed) expect_agreement(seed, Pricing::kSingleTensor);
}

bool has_plan(const Outcome& outcome) {
  return outcome.status == Status::kOptimal || outcome.status == Status::kFeasible;
}

TEST(Exact, AnswersWithABoundWhereTheNetworkIsTooWide) {
  int wide = 0;
  int without_peak = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    const Problem problem = random_problem(seed);
    const Outcome best = solve(problem, "exhaustive");
    if (!has_plan(best)) continue;
    for (const std::int64_t steps : {20, 60}) {
      SolveOptions options;
      options.max_decisions = steps;
      Outcome outcome;
      try {
        outcome = solve(problem, "exact", options);  // the judge is inside
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kUnsupported) << "seed " << seed;  // nor a small problem for exhaustive
        continue;
      }
      ASSERT_TRUE(has_plan(outcome)) << "seed " << seed;
      EXPECT_EQ(outcome.solver, "exact");
      EXPECT_GE(outcome.evaluation.latency_s, best.evaluation.latency_s * (1 - 1e-12)) << "seed " << seed;
      EXPECT_LE(outcome.lower_bound_s, best.evaluation.latency_s * (1 + 1e-12)) << "seed " << seed;
      if (outcome.status == Status::kFeasible) ++wide;
      if (steps == 60 && outcome.status == Status::kOptimal) ++without_peak;
    }
  }
  EXPECT_GT(wide, 20);
  EXPECT_GT(without_peak, 20);
}

TEST(Exact, StoppedAtOnceClaimsNothing) {
  std::stop_source source;
  source.request_stop();
  SolveOptions options;
  options.stop = source.get_token();
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Problem problem = random_problem(seed);
    const Outcome best = solve(problem, "exhaustive");
    const Outcome outcome = solve(problem, "exact", options);
    if (!has_plan(outcome)) continue;
    ASSERT_TRUE(has_plan(best)) << "seed " << seed;
    EXPECT_LE(outcome.lower_bound_s, best.evaluation.latency_s * (1 + 1e-12)) << "seed " << seed;
    if (outcome.status == Status::kOptimal) {
      EXPECT_LE(outcome.evaluation.latency_s, best.evaluation.latency_s * (1 + 2e-9)) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace cleave::search
