#include <gtest/gtest.h>
#include <rapidcheck.h>

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

}  // namespace
}  // namespace cleave::search
