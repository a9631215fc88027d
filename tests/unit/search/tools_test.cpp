#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "search/bit_state.h"
#include "search/edge_sets.h"
#include "search/knapsack.h"
#include "search/max_flow.h"
#include "search/relaxation.h"
#include "search/tune_bits.h"
#include "unit/search/brute_force.h"
#include "unit/search/small_problems.h"

namespace cleave::search {
namespace {

using testing::random_problem;

struct TestArc {
  int from, to;
  double capacity;
};

/// Least capacity over all 2^(n-2) sets that hold node 0 and not node n-1.
double least_cut(int nodes, const std::vector<TestArc>& arcs) {
  double least = INFINITY;
  for (unsigned set = 0; set < (1U << nodes); ++set) {
    if ((set & 1U) == 0 || (set >> (nodes - 1) & 1U) != 0) continue;
    double sum = 0;
    for (const TestArc& arc : arcs) {
      if ((set >> arc.from & 1U) != 0 && (set >> arc.to & 1U) == 0) sum += arc.capacity;
    }
    least = std::min(least, sum);
  }
  return least;
}

TEST(MaxFlow, EqualsTheLeastCutOfAllSets) {
  std::mt19937_64 engine(5);
  for (int round = 0; round < 200; ++round) {
    const int nodes = 2 + static_cast<int>(engine() % 6);
    std::vector<TestArc> arcs;
    MaxFlow flow(nodes);
    for (int i = 0; i < 3 * nodes; ++i) {
      const TestArc arc{static_cast<int>(engine() % static_cast<unsigned>(nodes)),
                        static_cast<int>(engine() % static_cast<unsigned>(nodes)),
                        static_cast<double>(engine() % 64) / 8};
      arcs.push_back(arc);
      flow.add_arc(arc.from, arc.to, arc.capacity);
    }
    EXPECT_NEAR(flow.solve(0, nodes - 1), least_cut(nodes, arcs), 1e-9) << round;
    const std::vector<bool>& side = flow.source_side();
    double sum = 0;
    for (const TestArc& arc : arcs) {
      const bool cut = side[static_cast<std::size_t>(arc.from)] && !side[static_cast<std::size_t>(arc.to)];
      if (cut) sum += arc.capacity;
    }
    EXPECT_NEAR(sum, least_cut(nodes, arcs), 1e-9) << "the side is not a minimum cut, round " << round;
  }
}

TEST(MaxFlow, IsNeverAboveTheLeastCutOfAwkwardCapacities) {
  std::mt19937_64 engine(11);
  for (int round = 0; round < 200; ++round) {
    const int nodes = 2 + static_cast<int>(engine() % 6);
    const auto draw = [&engine, nodes] { return static_cast<int>(engine() % static_cast<unsigned>(nodes)); };
    std::vector<TestArc> arcs;
    MaxFlow flow(nodes);
    double finite = 0;
    for (int i = 0; i < 3 * nodes; ++i) {
      const int exponent = static_cast<int>(engine() % 40) - 20;
      const TestArc arc{draw(), draw(), std::ldexp(1.0 + static_cast<double>(engine() >> 11) * 0x1p-53, exponent)};
      arcs.push_back(arc);
      flow.add_arc(arc.from, arc.to, arc.capacity);
      finite += arc.capacity;
    }
    const double least = least_cut(nodes, arcs);
    const double found = flow.solve(0, nodes - 1);
    EXPECT_LE(found, least * (1 + 1e-15)) << round;  // the sums of the cut round
    EXPECT_GE(found, least * (1 - 1e-15) - finite * 0x1p-54) << round;
  }
}

TEST(MaxFlow, KnowsWhenEveryCutIsUnlimited) {
  MaxFlow flow(4);
  for (const int middle : {1, 2}) {
    flow.add_arc(0, middle, MaxFlow::kUnlimited);
    flow.add_arc(middle, 3, middle == 1 ? MaxFlow::kUnlimited : 5);
  }
  EXPECT_GE(flow.solve(0, 3), MaxFlow::kUnlimited);
}

TEST(MaxFlow, TakesTheSmallestSideOfTheSource) {
  MaxFlow flow(4);  // 0 -> 1 -> 2 -> 3: every arc is a minimum cut
  for (int i = 0; i < 3; ++i) flow.add_arc(i, i + 1, 2.5);
  EXPECT_DOUBLE_EQ(flow.solve(0, 3), 2.5);
  EXPECT_EQ(flow.source_side(), (std::vector<bool>{true, false, false, false}));
}

TEST(Knapsack, IsExactWhereAllCombinationsAreLookedAt) {
  const std::vector<KnapsackItem> items = {{{5, 1}, {3, 2}, {0, 4}}, {{6, 1}, {1, 3}}, {{2, 0}, {0, 5}}};
  EXPECT_EQ(choose_within(items, 2), (std::vector<int>{0, 0, 0}));
  EXPECT_EQ(choose_within(items, 4), (std::vector<int>{0, 1, 0}));  // 5 + 1 + 2
  EXPECT_EQ(choose_within(items, 7), (std::vector<int>{2, 1, 0}));  // 0 + 1 + 2
  EXPECT_EQ(choose_within(items, 12), (std::vector<int>{2, 1, 1}));
  EXPECT_TRUE(choose_within(items, 1.5).empty());
}

TEST(Knapsack, KeepsTheBudgetAndComesCloseBeyond) {
  std::mt19937_64 engine(6);
  const auto draw = [&engine] { return static_cast<double>(engine() % 1000) / 100; };
  for (int round = 0; round < 50; ++round) {
    // Twelve items, three options each: half of them decided by the other half's copy, so that the optimum is known
    // from the exact small case of six.
    std::vector<KnapsackItem> six(6);
    for (KnapsackItem& item : six) item = {{10 + draw(), draw() / 4}, {5 + draw(), 3 + draw()}, {draw(), 6 + draw()}};
    double exact = 0;
    const std::vector<int> small = choose_within(six, 40);
    if (small.empty()) continue;
    for (std::size_t i = 0; i < six.size(); ++i) exact += six[i][static_cast<std::size_t>(small[i])].cost;
    std::vector<KnapsackItem> twelve = six;
    for (int i = 0; i < 6; ++i) twelve.push_back({{0, 0}, {1, 1}, {2, 2}});  // never worth more than nothing
    const std::vector<int> large = choose_within(twelve, 40);
    ASSERT_EQ(large.size(), 12U);
    double cost = 0;
    double weight = 0;
    for (std::size_t i = 0; i < 12; ++i) {
      cost += twelve[i][static_cast<std::size_t>(large[i])].cost;
      weight += twelve[i][static_cast<std::size_t>(large[i])].weight;
    }
    EXPECT_LE(weight, 40);
    EXPECT_GE(cost, exact - 1e-9);
    EXPECT_LE(cost, exact + 12);  // one item's worth: what a Lagrangian point may leave
  }
}

TEST(Relaxation, NeverPromisesLessThanIsPossible) {
  int tight = 0;
  int feasible = 0;
  for (std::uint64_t seed = 0; seed < 800; ++seed) {
    const Problem problem = random_problem(seed);
    const testing::BruteForce brute = testing::brute_force(problem);
    if (!brute.feasible) continue;
    ++feasible;
    const double bound = lower_bound_s(problem, Pricing::kExact);
    EXPECT_LE(bound, brute.least_s * (1 + 1e-12)) << "seed " << seed;
    if (bound >= brute.least_s * (1 - 1e-9)) ++tight;
  }
  EXPECT_GT(tight, feasible / 2);
}

TEST(Relaxation, BoundsEverySetOfEdgeUnitsByItself) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Problem problem = random_problem(seed);
    const Relaxation relaxation(problem, {0.7, 0.01});
    for_each_edge_set(problem, [&](const std::vector<bool>& on_edge) {
      Problem pinned = problem;
      for (std::size_t u = 0; u < on_edge.size(); ++u) {
        if (on_edge[u]) pinned.units[u].cloud_s.reset();
        if (!on_edge[u]) pinned.units[u].edge_s.clear();
      }
      EXPECT_GE(relaxation.bound_of(on_edge), relaxation.bound_s() - 1e-9) << "seed " << seed;
      const testing::BruteForce brute = testing::brute_force(pinned);
      const double least = brute.feasible ? brute.least_s : std::numeric_limits<double>::infinity();
      EXPECT_LE(relaxation.bound_of(on_edge), least + 1e-9) << "seed " << seed;
      return true;
    });
  }
}

TEST(Relaxation, IsTheOptimumOfAHandComputedProblemWithoutLimits) {
  EXPECT_NEAR(lower_bound_s(testing::residual_problem(), Pricing::kExact), 3.25, 1e-9);
  Problem problem = testing::one_unit_problem();
  problem.units[0].edge_s.clear();
  problem.finish();
  EXPECT_NEAR(lower_bound_s(problem, Pricing::kExact), 8.0, 1e-9);
  problem.result_at = ResultAt::kEdge;
  EXPECT_NEAR(lower_bound_s(problem, Pricing::kExact), 12.0, 1e-9);
}

TEST(BitState, KeepsItsSumsRight) {
  std::mt19937_64 engine(9);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Problem problem = random_problem(seed);
    for_each_edge_set(problem, [&](const std::vector<bool>& on_edge) {
      const auto part = make_edge_part(problem, on_edge, Pricing::kExact);
      EXPECT_TRUE(part.has_value()) << "for_each_edge_set gave an impossible set, seed " << seed;
      if (!part) return false;
      BitState state(problem, *part, uniform_choice(problem, *part, true));
      for (const int t : part->decided) {
        const auto options = problem.tensors[static_cast<std::size_t>(t)].activation.size();
        const Move move = {{Kind::kActivation, t, static_cast<int>(engine() % options)}};
        const BitState::Sums then = state.after(move);
        state.make(move);
        const Evaluation e = evaluate(problem, *part, state.choice());
        EXPECT_NEAR(then.latency_s, e.latency_s, 1e-9);
        EXPECT_EQ(then.peak_bytes, e.activation_bytes);
        EXPECT_NEAR(then.distortion, e.distortion, 1e-9);
      }
      for (const int t : part->crossing) {
        const auto options = problem.tensors[static_cast<std::size_t>(t)].wire.size();
        const Move move = {{Kind::kWire, t, static_cast<int>(engine() % options)}};
        const BitState::Sums then = state.after(move);
        state.make(move);
        const Evaluation e = evaluate(problem, *part, state.choice());
        EXPECT_NEAR(then.latency_s, e.latency_s, 1e-9);
        EXPECT_EQ(then.peak_bytes, e.activation_bytes);
      }
      for (const int u : part->units) {
        const auto options = problem.units[static_cast<std::size_t>(u)].weight.size();
        const Move move = {{Kind::kWeight, u, static_cast<int>(engine() % options)}};
        const BitState::Sums then = state.after(move);
        state.make(move);
        const Evaluation e = evaluate(problem, *part, state.choice());
        EXPECT_NEAR(then.latency_s, e.latency_s, 1e-9);
        EXPECT_EQ(then.weight_bytes, e.weight_bytes);
      }
      return true;
    });
  }
}

}  // namespace
}  // namespace cleave::search
