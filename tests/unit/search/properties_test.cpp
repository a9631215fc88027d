#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "search/solver.h"
#include "search/verify_plan.h"
#include "support/property.h"
#include "unit/search/brute_force.h"
#include "unit/search/small_problems.h"

namespace cleave::search {
namespace {

using testing::brute_force;
using testing::BruteForce;
using testing::random_problem;

bool has_plan(const Outcome& outcome) {
  return outcome.status == Status::kOptimal || outcome.status == Status::kFeasible;
}

bool same(const Decision& a, const Decision& b) {
  return a.on_edge == b.on_edge && a.weight_bits == b.weight_bits && a.activation_bits == b.activation_bits &&
         a.wire_bits == b.wire_bits;
}

void expect_agreement(std::uint64_t seed, Pricing pricing) {
  const Problem problem = random_problem(seed);
  const BruteForce brute = brute_force(problem, pricing);
  SolveOptions options;
  options.pricing = pricing;
  const Outcome outcome = solve(problem, "exhaustive", options);
  ASSERT_EQ(outcome.status, brute.feasible ? Status::kOptimal : Status::kInfeasible) << "seed " << seed;
  if (!brute.feasible) return;
  EXPECT_DOUBLE_EQ(outcome.evaluation.latency_s, brute.latency_s) << "seed " << seed;
  EXPECT_NEAR(outcome.lower_bound_s, brute.least_s, 1e-12 * brute.least_s) << "seed " << seed;
  EXPECT_TRUE(same(outcome.decision, brute.decision)) << "seed " << seed;
  EXPECT_TRUE(verify_plan(problem, brute.decision, pricing).violations.empty()) << "seed " << seed;
}

TEST(Exhaustive, AgreesWithBruteForceOnRandomProblems) {
  for (std::uint64_t seed = 0; seed < 1500; ++seed) expect_agreement(seed, Pricing::kExact);
}

TEST(Exhaustive, AgreesWithBruteForceUnderSingleTensorPricing) {
  for (std::uint64_t seed = 5000; seed < 5400; ++seed) expect_agreement(seed, Pricing::kSingleTensor);
}

TEST(RandomProblems, CoverAnswersOfEveryKind) {
  int feasible = 0;
  int infeasible = 0;
  int split = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Outcome outcome = solve(random_problem(seed), "exhaustive");
    const auto& on_edge = outcome.decision.on_edge;
    (has_plan(outcome) ? feasible : infeasible)++;
    if (has_plan(outcome) && std::count(on_edge.begin(), on_edge.end(), true) > 0 &&
        !outcome.decision.wire_bits.empty())
      ++split;
  }
  EXPECT_GT(feasible, 60);
  EXPECT_GT(infeasible, 30);
  EXPECT_GT(split, 20);
}

double least_alone(const BruteForce& brute, const std::string& name) {
  if (name == "weight_bytes") return brute.least_weight_bytes;
  if (name == "activation_bytes") return brute.least_activation_bytes;
  if (name == "edge_memory_bytes") return brute.least_memory_bytes;
  return brute.least_distortion;
}

void loosen(Limits& limits, const Infeasibility& found) {
  if (found.tightest == "weight_bytes") limits.weight_bytes = static_cast<std::int64_t>(found.needed);
  if (found.tightest == "activation_bytes") limits.activation_bytes = static_cast<std::int64_t>(found.needed);
  if (found.tightest == "edge_memory_bytes") limits.edge_memory_bytes = static_cast<std::int64_t>(found.needed);
  if (found.tightest == "distortion") limits.distortion = found.needed;
}

TEST(Exhaustive, NamesAConstraintAndTheNumberThatFixesIt) {
  int fixed = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Problem problem = random_problem(seed);
    const Outcome outcome = solve(problem, "exhaustive");
    if (has_plan(outcome)) continue;
    const Infeasibility found = outcome.infeasibility.value();
    const BruteForce brute = brute_force(problem);
    if (found.tightest == "units") {
      EXPECT_LT(brute.least_distortion, 0) << "seed " << seed;
      continue;
    }
    EXPECT_GT(found.needed, found.allowed) << "seed " << seed;
    EXPECT_GE(found.needed, least_alone(brute, found.tightest) * (1 - 1e-12)) << "seed " << seed;
    loosen(problem.limits, found);
    if (has_plan(solve(problem, "exhaustive"))) ++fixed;
  }
  EXPECT_GT(fixed, 50);
}

TEST(EverySolver, IsNeverBetterThanExhaustiveAndFindsAPlanWhenThereIsOne) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Problem problem = random_problem(seed);
    const Outcome best = solve(problem, "exhaustive");
    for (const SolverRow& row : solver_table()) {
      const Outcome outcome = solve(problem, row.name);  // the judge is inside
      if (row.kind == SolverKind::kSearch) {
        ASSERT_EQ(has_plan(outcome), has_plan(best)) << row.name << ", seed " << seed;
      }
      if (!has_plan(outcome)) {
        EXPECT_TRUE(outcome.infeasibility.has_value()) << row.name << ", seed " << seed;
        continue;
      }
      ASSERT_TRUE(has_plan(best)) << row.name << " found a plan, exhaustive none, seed " << seed;
      const double least = best.evaluation.latency_s;
      EXPECT_GE(outcome.evaluation.latency_s, least * (1 - 1e-12)) << row.name << ", seed " << seed;
      EXPECT_LE(outcome.lower_bound_s, least * (1 + 1e-12)) << row.name << "'s bound, seed " << seed;
      EXPECT_GE(outcome.gap_ratio, 0) << row.name;
    }
  }
}

TEST(EverySolver, AnswersUnderSingleTensorPricing) {
  SolveOptions options;
  options.pricing = Pricing::kSingleTensor;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    const Problem problem = random_problem(seed);
    const Outcome best = solve(problem, "exhaustive", options);
    for (const SolverRow& row : solver_table()) {
      const Outcome outcome = solve(problem, row.name, options);
      if (!has_plan(outcome)) continue;
      ASSERT_TRUE(has_plan(best)) << row.name << ", seed " << seed;
      EXPECT_GE(outcome.evaluation.latency_s, best.evaluation.latency_s * (1 - 1e-12)) << row.name << ", seed " << seed;
      EXPECT_LE(outcome.lower_bound_s, best.evaluation.latency_s * (1 + 1e-12)) << row.name << ", seed " << seed;
    }
  }
}

TEST(EverySolver, GivesTheSameAnswerTwice) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Problem problem = random_problem(seed);
    for (const SolverRow& row : solver_table()) {
      EXPECT_TRUE(same(solve(problem, row.name).decision, solve(problem, row.name).decision)) << row.name;
    }
  }
}

/// Latency of the optimum; infinite when there is none.
double optimum(const Problem& problem) {
  const Outcome outcome = solve(problem, "exhaustive");
  return has_plan(outcome) ? outcome.evaluation.latency_s : std::numeric_limits<double>::infinity();
}

TEST(Relations, MoreRoomIsNeverSlower) {
  cleave::testing::expect_holds([] {
    const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
    const Problem problem = random_problem(seed);
    const double before = optimum(problem) * (1 + 1e-12);
    Problem other = problem;
    if (other.limits.edge_memory_bytes) *other.limits.edge_memory_bytes += 3;
    RC_ASSERT(optimum(other) <= before);
    other = problem;
    if (other.limits.distortion) *other.limits.distortion *= 1.5;
    RC_ASSERT(optimum(other) <= before);
    other = problem;
    other.limits = {};
    RC_ASSERT(optimum(other) <= before);
    other = problem;
    other.link.bytes_per_s *= 2;
    RC_ASSERT(optimum(other) <= before);
    other = problem;
    other.link.rtt_s = 0;
    RC_ASSERT(optimum(other) <= before);
  });
}

TEST(Relations, MoreChoicesAreNeverSlower) {
  cleave::testing::expect_holds([] {
    const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
    const Problem problem = random_problem(seed);
    const double before = optimum(problem);
    for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
      Problem fewer = problem;
      if (fewer.tensors[t].wire.size() > 1) fewer.tensors[t].wire.pop_back();
      if (fewer.tensors[t].activation.size() > 1) fewer.tensors[t].activation.pop_back();
      RC_ASSERT(optimum(fewer) >= before * (1 - 1e-12));
    }
  });
}

TEST(Relations, AFasterCloudIsNeverSlower) {
  cleave::testing::expect_holds([] {
    const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
    Problem problem = random_problem(seed);
    const double before = optimum(problem);
    for (ProblemUnit& unit : problem.units) {
      if (unit.cloud_s) *unit.cloud_s /= 2;
    }
    RC_ASSERT(optimum(problem) <= before * (1 + 1e-12));
  });
}

TEST(Judge, AcceptsNoMutationThatLeavesTheRules) {
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Problem problem = random_problem(seed);
    const Outcome outcome = solve(problem, "exhaustive");
    if (!has_plan(outcome)) continue;
    for (std::size_t u = 0; u < problem.units.size(); ++u) {
      Decision mutated = outcome.decision;
      mutated.on_edge[u] = !mutated.on_edge[u];
      const Judgement judgement = verify_plan(problem, mutated);
      if (!judgement.violations.empty()) ++refused;
      // A flipped side changes what is to be decided, unless the unit touches nothing that counts.
      const ProblemUnit& unit = problem.units[u];
      if (!unit.has_weights) continue;
      EXPECT_FALSE(judgement.violations.empty()) << "seed " << seed << ", unit " << u;
    }
    for (const auto& [t, bits] : outcome.decision.wire_bits) {
      Decision mutated = outcome.decision;
      mutated.wire_bits[t] = bits + 1;
      EXPECT_FALSE(verify_plan(problem, mutated).violations.empty()) << "seed " << seed;
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace cleave::search
