#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

#include "search/edge_cut.h"
#include "search/solver.h"
#include "search/verify_plan.h"
#include "support/property.h"
#include "unit/search/brute_force.h"
#include "unit/search/small_problems.h"

namespace cleave::search {
namespace {

using testing::brute_force;
using testing::BruteForce;
using testing::one_unit_problem;
using testing::random_problem;
using testing::residual_problem;

constexpr double kNever = std::numeric_limits<double>::infinity();

bool has_plan(const Outcome& outcome) {
  return outcome.status == Status::kOptimal || outcome.status == Status::kFeasible;
}

/// What a partitioner sees: one width per list, the widest, and no limits.
Problem at_widest(Problem problem) {
  const auto keep_last = [](auto& list) {
    if (list.size() > 1) list.erase(list.begin(), list.end() - 1);
  };
  for (ProblemTensor& tensor : problem.tensors) {
    keep_last(tensor.activation);
    keep_last(tensor.wire);
  }
  for (ProblemUnit& unit : problem.units) keep_last(unit.weight);
  problem.limits = {};
  problem.finish();
  return problem;
}

Problem drawn_problem() {
  return random_problem(*rc::gen::inRange<std::uint64_t>(0, 10'000'000));
}

TEST(Dads, IsTheBestOfAllEdgeSetsAtItsBits) {
  cleave::testing::expect_holds([] {
    const Problem problem = at_widest(drawn_problem());
    const BruteForce brute = brute_force(problem);
    const Outcome outcome = solve(problem, "dads");
    RC_ASSERT(has_plan(outcome) == brute.feasible);
    if (!brute.feasible) return;
    RC_ASSERT(std::abs(outcome.evaluation.latency_s - brute.least_s) <= 1e-12 * brute.least_s);
  });
}

TEST(Dads, IsTheBestOfAllEdgeSetsOnTwoThousandProblems) {
  int split = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const Problem problem = at_widest(random_problem(seed));
    const BruteForce brute = brute_force(problem);
    const Outcome outcome = solve(problem, "dads");
    ASSERT_EQ(has_plan(outcome), brute.feasible) << seed;
    if (!brute.feasible) continue;
    ASSERT_NEAR(outcome.evaluation.latency_s, brute.least_s, 1e-12 * brute.least_s) << seed;
    split += outcome.decision.wire_bits.empty() || outcome.evaluation.edge_s == 0 ? 0 : 1;
  }
  EXPECT_GT(split, 100);
}

TEST(Dads, ChoosesWithoutRegardToTheLimitsAndThenKeepsThemOrHasNoAnswer) {
  int broken = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    const Problem problem = random_problem(seed);
    Problem unlimited = problem;
    unlimited.limits = {};
    const Outcome free = solve(unlimited, "dads");
    if (!has_plan(free)) continue;
    const bool fits = verify_plan(problem, free.decision).violations.empty();
    const Outcome outcome = solve(problem, "dads");
    ASSERT_EQ(has_plan(outcome), fits) << seed;
    if (fits) continue;
    EXPECT_GT(outcome.infeasibility->needed, outcome.infeasibility->allowed) << seed;
    ++broken;
  }
  EXPECT_GT(broken, 50);
}

/// Units get the side that they lack, and tensors the choices: every prefix is possible.
Problem with_both_sides(Problem problem) {
  for (ProblemTensor& tensor : problem.tensors) {
    if (tensor.activation.empty()) tensor.activation = {{8, 0.1}};
    if (tensor.wire.empty()) tensor.wire = {{4, tensor.elements, 0.1}};
  }
  for (ProblemUnit& unit : problem.units) {
    if (!unit.cloud_s) unit.cloud_s = 0.5;
    for (const WeightOption& weight : unit.weight) {
      if (unit.edge_s[weight.bits].empty()) unit.edge_s[weight.bits] = {{2, 1.0}, {4, 1.0}, {8, 1.5}};
    }
  }
  problem.finish();
  return problem;
}

/// The first `length` units on the edge, the others on the cloud, by brute force; infinite when impossible.
double prefix_latency_s(Problem problem, std::size_t length, Pricing pricing) {
  for (std::size_t u = 0; u < problem.units.size(); ++u) {
    if (u < length) {
      problem.units[u].cloud_s.reset();
    } else {
      problem.units[u].edge_s.clear();
    }
  }
  const BruteForce brute = brute_force(problem, pricing);
  return brute.feasible ? brute.least_s : kNever;
}

double best_prefix_s(const Problem& problem, Pricing pricing) {
  double least = kNever;
  for (std::size_t length = 0; length <= problem.units.size(); ++length) {
    least = std::min(least, prefix_latency_s(problem, length, pricing));
  }
  return least;
}

double latency_s(const Problem& problem, const char* solver, Pricing pricing) {
  SolveOptions options;
  options.pricing = pricing;
  const Outcome outcome = solve(problem, solver, options);
  return has_plan(outcome) ? outcome.evaluation.latency_s : kNever;
}

bool close(double a, double b) {
  return a == b || std::abs(a - b) <= 1e-12 * std::max(a, b);
}

TEST(Neurosurgeon, IsTheBestPrefix) {
  cleave::testing::expect_holds([] {
    const Problem problem = at_widest(with_both_sides(drawn_problem()));
    for (const Pricing pricing : {Pricing::kExact, Pricing::kSingleTensor}) {
      RC_ASSERT(close(latency_s(problem, "neurosurgeon", pricing), best_prefix_s(problem, pricing)));
    }
  });
}

TEST(Partitioners, AreThePublishedPrefixWhereOneTensorIsCounted) {
  cleave::testing::expect_holds([] {
    const Problem problem = at_widest(with_both_sides(drawn_problem()));
    const double prefix_s = best_prefix_s(problem, Pricing::kSingleTensor);
    for (const char* solver : {"dads", "qdmp", "qdmp_e"}) {
      RC_ASSERT(close(latency_s(problem, solver, Pricing::kSingleTensor), prefix_s));
    }
  });
}

TEST(Qdmp, IsDadsOnRandomProblems) {
  cleave::testing::expect_holds([] {
    Problem problem = drawn_problem();
    problem.limits = {};  // of two sets that tie, one may break them
    RC_ASSERT(close(latency_s(problem, "qdmp", Pricing::kExact), latency_s(problem, "dads", Pricing::kExact)));
  });
}

/// Modules of one to four branches in a row, joined by a sum with or without the module's input; halved now and then.
class Modules {
 public:
  explicit Modules(std::uint64_t seed) : state_(seed) {}

  Problem make(int modules) {
    p_.inputs = {tensor(3000)};
    int last = p_.inputs[0];
    for (int m = 0; m < modules; ++m) last = module(last, 4000 / (m + 1));
    p_.outputs = {last};
    p_.link = {1000.0 * (1 + draw(20)), 0.125 * draw(4), 8, 2000, 40};
    p_.result_at = static_cast<ResultAt>(draw(3));
    p_.finish();
    return p_;
  }

 private:
  int draw(int n) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<int>((state_ >> 33) % static_cast<std::uint64_t>(n));
  }
  int tensor(std::int64_t elements) {
    ProblemTensor t;
    t.name = "t" + std::to_string(p_.tensors.size());
    t.elements = elements;
    t.activation = {{8, 0.01}, {16, 0}};
    t.wire = {{8, elements, 0.01}, {16, 2 * elements, 0}};
    p_.tensors.push_back(t);
    return static_cast<int>(p_.tensors.size()) - 1;
  }
  int unit(std::vector<int> inputs, std::int64_t elements) {
    ProblemUnit u;
    u.name = "u" + std::to_string(p_.units.size());
    u.inputs = std::move(inputs);
    u.outputs = {tensor(elements)};
    u.weight = {{8, 10, 0.01}, {16, 20, 0}};
    const double seconds = 0x1p-10 * (1 + draw(40));
    for (const int w : {8, 16}) u.edge_s[w] = {{8, seconds * w / 8}, {16, seconds * w / 4}};
    u.cloud_s = 0x1p-10 * draw(4);
    p_.units.push_back(u);
    return u.outputs[0];
  }
  int module(int input, std::int64_t elements) {
    std::vector<int> ends;
    for (int branches = 1 + draw(4); branches > 0; --branches) {
      int end = input;
      for (int depth = 1 + draw(3); depth > 0; --depth) end = unit({end}, elements / (1 + draw(4)));
      ends.push_back(end);
    }
    if (draw(2) == 0) ends.push_back(input);
    return unit(ends, elements);
  }

  std::uint64_t state_;
  Problem p_;
};

TEST(Qdmp, IsDadsOnNetworksOfModulesAndNoWorseThanAnyPrefix) {
  int split = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Problem problem = Modules(seed).make(8);
    EXPECT_GT(cut_blocks(problem).size(), 5U) << seed;
    const Outcome dads = solve(problem, "dads");
    EXPECT_PRED2(close, dads.evaluation.latency_s, latency_s(problem, "qdmp", Pricing::kExact)) << seed;
    EXPECT_LE(dads.evaluation.latency_s, solve(problem, "neurosurgeon").evaluation.latency_s * (1 + 1e-12)) << seed;
    split += dads.evaluation.edge_s > 0 && dads.evaluation.cloud_s > 0 ? 1 : 0;
  }
  EXPECT_GT(split, 10);
}

TEST(CutBlocks, StandBetweenUnitsThatEverythingPasses) {
  const auto ranges = [](const Problem& problem) {
    std::vector<std::pair<int, int>> found;
    for (const UnitRange& block : cut_blocks(problem)) found.emplace_back(block.first, block.last);
    return found;
  };
  using Ranges = std::vector<std::pair<int, int>>;
  Problem problem = residual_problem();  // a -> b -> add, a -> add: all passes a and add, not b
  EXPECT_EQ(ranges(problem), (Ranges{{0, 0}, {1, 2}, {3, 3}}));
  problem.outputs = {1, 3};  // a's tensor is a result as well: nothing after it sees everything
  problem.finish();
  EXPECT_EQ(ranges(problem), (Ranges{{0, 0}, {1, 3}}));
}

TEST(CutBlocks, HoldEveryDownClosedSet) {
  cleave::testing::expect_holds([] {
    const Problem problem = drawn_problem();
    const std::vector<UnitRange> blocks = cut_blocks(problem);
    for (unsigned set = 0; set < (1U << problem.units.size()); ++set) {
      const auto on_edge = [set](int u) { return u < 0 || (set >> u & 1U) != 0; };
      bool closed = true;
      for (std::size_t u = 0; u < problem.units.size(); ++u) {
        for (const int t : problem.units[u].inputs) {
          const int producer = problem.tensors[static_cast<std::size_t>(t)].producer;
          closed = closed && (!on_edge(static_cast<int>(u)) || on_edge(producer));
        }
      }
      if (!closed) continue;
      const auto holds = [&](const UnitRange& block) {
        for (int u = 0; u < static_cast<int>(problem.units.size()); ++u) {
          if ((u < block.first && !on_edge(u)) || (u >= block.last && on_edge(u))) return false;
        }
        return true;
      };
      RC_ASSERT(std::count_if(blocks.begin(), blocks.end(), holds) == 1);
    }
  });
}

TEST(Partitioners, AreTheHandComputedOnes) {
  Problem problem = residual_problem();  // all at 8 bits on the edge: 2 + 3 + 0.5
  EXPECT_DOUBLE_EQ(solve(problem, "dads").evaluation.latency_s, 5.5);
  problem.units[2].edge_s.clear();  // {a}: 2 + rtt 1 + 8 bytes + 2 / 8; {a, b} would send t and u
  for (const char* solver : {"neurosurgeon", "dads", "qdmp", "qdmp_e"}) {
    const Outcome outcome = solve(problem, solver);
    EXPECT_EQ(outcome.solver, solver);
    EXPECT_DOUBLE_EQ(outcome.evaluation.latency_s, 11.25) << solver;
  }
  EXPECT_DOUBLE_EQ(solve(problem, "qdmp_e_u4").evaluation.latency_s, 7.25);  // 4 bits on the wire; a has 8 only
  for (const char* solver : {"neurosurgeon", "dads", "qdmp"}) {              // one tensor, no round trip: {a} is 10.25
    EXPECT_DOUBLE_EQ(latency_s(problem, solver, Pricing::kSingleTensor), 10.25) << solver;
  }
}

TEST(Partitioners, NameTheLimitThatTheirChoiceBreaks) {
  Problem problem = residual_problem();
  problem.limits.weight_bytes = 20;  // a and b: 24 bytes at 8 bits, 18 with b at 4
  for (const char* solver : {"neurosurgeon", "dads", "qdmp", "qdmp_e"}) {
    const Outcome outcome = solve(problem, solver);
    ASSERT_EQ(outcome.status, Status::kInfeasible) << solver;
    EXPECT_EQ(outcome.infeasibility->tightest, "weight_bytes") << solver;
    EXPECT_DOUBLE_EQ(outcome.infeasibility->needed, 24) << solver;
  }
  EXPECT_EQ(solve(problem, "qdmp_e_u4").status, Status::kFeasible);
}

TEST(Partitioners, SendANetworkInputAsTheEdgeHoldsIt) {
  Problem problem = one_unit_problem();
  problem.units[0].edge_s.clear();
  problem.tensors[0].wire = {{8, 10, 0.01}, {32, 40, 0}};  // held at 8 bits
  problem.finish();
  for (const char* solver : {"neurosurgeon", "dads", "qdmp", "qdmp_e", "qdmp_e_u4", "cloud16", "cloud_only"}) {
    EXPECT_DOUBLE_EQ(solve(problem, solver).evaluation.latency_s, 8) << solver;
  }
}

TEST(Uniform, IsTheFastestWidthThatKeepsTheLimits) {
  Problem problem = one_unit_problem();
  EXPECT_DOUBLE_EQ(solve(problem, "uniform").evaluation.latency_s, 6);  // 2-bit weights
  problem.limits.distortion = 0.5;                                      // they take 0.5 alone, y at 4 bits 0.2
  EXPECT_DOUBLE_EQ(solve(problem, "uniform").evaluation.latency_s, 9);
  problem.limits.distortion = 0.01;
  const Outcome outcome = solve(problem, "uniform");
  ASSERT_EQ(outcome.status, Status::kInfeasible);
  EXPECT_EQ(outcome.infeasibility->tightest, "distortion");
  EXPECT_NEAR(outcome.infeasibility->needed, 0.08, 1e-12);  // 0.05 + 0.01 + 0.02 at 8 bits
}

TEST(Cloud16, SendsTheRawInput) {
  EXPECT_DOUBLE_EQ(solve(one_unit_problem(), "cloud16").evaluation.latency_s, 8);
}

TEST(Random, DrawsAnotherPlanForAnotherSeedAndTheSameForTheSame) {
  const Problem problem = Modules(3).make(8);
  std::set<std::vector<bool>> sets;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SolveOptions options;
    options.seed = seed;
    const Outcome outcome = solve(problem, "random", options);
    ASSERT_TRUE(has_plan(outcome));
    EXPECT_EQ(outcome.decision.activation_bits, solve(problem, "random", options).decision.activation_bits);
    sets.insert(outcome.decision.on_edge);
  }
  EXPECT_GT(sets.size(), 10U);
}

TEST(Random, KeepsTightLimits) {
  Problem problem = Modules(3).make(8);
  problem.limits.distortion = 0.1;
  problem.limits.weight_bytes = 600;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SolveOptions options;
    options.seed = seed;
    EXPECT_TRUE(has_plan(solve(problem, "random", options))) << seed;  // the judge is inside
  }
}

}  // namespace
}  // namespace cleave::search
