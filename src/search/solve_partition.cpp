#include <algorithm>
#include <cmath>

#include "search/cut_candidates.h"
#include "search/edge_cut.h"
#include "search/fixed_bits.h"
#include "search/item.h"
#include "search/solvers.h"

// The baselines that choose where to cut but not how many bits: each picks its edge units at full precision, by latency
// alone, as published; whether that choice keeps the limits is seen afterwards.

namespace cleave::search {

namespace {

using EdgeSet = std::optional<std::vector<bool>>;

/// Seconds on the edge at the widest bits; forbidden where the unit cannot run or a tensor may not be decided.
double edge_s_at_widest(const Problem& problem, const ProblemUnit& unit) {
  const auto undecided = [&problem](int t) { return item(problem.tensors, t).activation.empty(); };
  const auto stuck = [&](int t) { return item(problem.tensors, t).is_output && undecided(t); };
  const bool possible = !unit.edge_s.empty() && std::none_of(unit.inputs.begin(), unit.inputs.end(), undecided) &&
                        std::none_of(unit.outputs.begin(), unit.outputs.end(), stuck);
  if (!possible) return CutCosts::kForbidden;
  const auto& row = unit.edge_s.at(unit.weight.back().bits);
  if (unit.inputs.empty()) return row.begin()->second;
  int widest = 0;
  for (const int t : unit.inputs) widest = std::max(widest, item(problem.tensors, t).activation.back().bits);
  return row.at(widest);
}

/// What full precision costs: the widest bits of every list; without the round trip.
CutCosts costs_at_widest(const Problem& problem) {
  CutCosts costs;
  for (const ProblemUnit& unit : problem.units) {
    costs.edge_s.push_back(edge_s_at_widest(problem, unit));
    costs.cloud_s.push_back(unit.cloud_s.value_or(CutCosts::kForbidden));
  }
  for (const ProblemTensor& tensor : problem.tensors) {
    const auto seconds = [&] {
      return static_cast<double>(item(tensor.wire, wire_of_width(tensor, kWidest)).bytes) / problem.link.bytes_per_s;
    };
    costs.wire_s.push_back(tensor.wire.empty() ? CutCosts::kForbidden : seconds());
  }
  return costs;
}

constexpr double kTie = 1e-12;  // relative; quanta and sums round below it

/// The faster of two cuts; of equal ones that with fewer edge units, then earlier ones.
std::optional<EdgeCut> better(std::optional<EdgeCut> a, std::optional<EdgeCut> b) {
  if (!a || !b) return a ? std::move(a) : std::move(b);
  if (std::abs(a->seconds - b->seconds) > kTie * std::max(a->seconds, b->seconds)) {
    return a->seconds < b->seconds ? std::move(a) : std::move(b);
  }
  const auto size = [](const EdgeCut& cut) { return std::count(cut.on_edge.begin(), cut.on_edge.end(), true); };
  const bool second = size(*a) != size(*b) ? size(*b) < size(*a) : b->on_edge > a->on_edge;
  return second ? std::move(b) : std::move(a);
}

/// The least cut, whether its crossing tensors pay for a round trip or nothing crosses at all.
/// `crossing` finds the least cut at given costs.
EdgeSet least_cut_with_round_trip(const Problem& problem, const auto& crossing) {
  CutCosts costs = costs_at_widest(problem);
  std::optional<EdgeCut> split = crossing(costs);
  if (split) split->seconds += problem.link.rtt_s + problem.link.header_bytes / problem.link.bytes_per_s;
  costs.wire_s.assign(problem.tensors.size(), CutCosts::kForbidden);
  const UnitRange all{0, static_cast<int>(problem.units.size())};
  const auto best = better(std::move(split), least_edge_cut(problem, costs, all));
  return best ? EdgeSet(best->on_edge) : std::nullopt;
}

EdgeSet dads_set(const Problem& problem) {
  const UnitRange all{0, static_cast<int>(problem.units.size())};
  return least_cut_with_round_trip(problem, [&](const CutCosts& costs) { return least_edge_cut(problem, costs, all); });
}

/// No cut with this part open is faster: all before it on the edge, all after it on the cloud, in it each unit where it
/// is faster.
double block_bound_s(const CutCosts& costs, const UnitRange& block) {
  double sum = 0;
  for (int u = 0; u < static_cast<int>(costs.edge_s.size()); ++u) {
    const double edge_s = item(costs.edge_s, u);
    const double cloud_s = item(costs.cloud_s, u);
    sum += u < block.first ? edge_s : u >= block.last ? cloud_s : std::min(edge_s, cloud_s);
  }
  return sum;
}

EdgeSet qdmp_set(const Problem& problem) {
  const std::vector<UnitRange> blocks = cut_blocks(problem);
  return least_cut_with_round_trip(problem, [&](const CutCosts& costs) {
    std::optional<EdgeCut> best;
    for (const UnitRange& block : blocks) {
      if (best && block_bound_s(costs, block) > best->seconds * (1 + kTie)) continue;
      best = better(std::move(best), least_edge_cut(problem, costs, block));
    }
    return best;
  });
}

/// The prefix of the schedule of least latency at full precision.
EdgeSet best_prefix(const Problem& problem, Pricing pricing) {
  std::optional<EdgeCut> best;
  for (std::vector<bool>& on_edge : prefix_sets(problem)) {
    const auto part = make_edge_part(problem, on_edge, pricing);
    if (!part) continue;
    const Evaluation evaluation = evaluate(problem, *part, choice_from_width(problem, *part, kWidest));
    best = better(std::move(best), EdgeCut{evaluation.latency_s, std::move(on_edge)});
  }
  return best ? EdgeSet(std::move(best->on_edge)) : std::nullopt;
}

/// What is chosen where one tensor is counted: as in the publications that do, the best prefix. A cut that need not pay
/// for all that crosses would be none.
EdgeSet set_for(const Problem& problem, Pricing pricing, EdgeSet (*exact)(const Problem&)) {
  return pricing == Pricing::kExact ? exact(problem) : best_prefix(problem, pricing);
}

Outcome at_width(const std::string& solver, const Problem& problem, Pricing pricing, EdgeSet set, int bits) {
  if (!set) return no_side(solver, problem, 0);
  const auto part = make_edge_part(problem, std::move(*set), pricing);
  return best_of_choices(solver, problem, pricing, *part, {choice_from_width(problem, *part, bits)});
}

}  // namespace

Outcome solve_neurosurgeon(const Problem& problem, const SolveOptions& options) {
  return at_width("neurosurgeon", problem, options.pricing, best_prefix(problem, options.pricing), kWidest);
}

Outcome solve_dads(const Problem& problem, const SolveOptions& options) {
  return at_width("dads", problem, options.pricing, set_for(problem, options.pricing, dads_set), kWidest);
}

Outcome solve_qdmp(const Problem& problem, const SolveOptions& options) {
  return at_width("qdmp", problem, options.pricing, set_for(problem, options.pricing, qdmp_set), kWidest);
}

Outcome solve_qdmp_e(const Problem& problem, const SolveOptions& options) {
  constexpr int kHalfFloat = 16;
  return at_width("qdmp_e", problem, options.pricing, set_for(problem, options.pricing, qdmp_set), kHalfFloat);
}

Outcome solve_qdmp_e_u4(const Problem& problem, const SolveOptions& options) {
  constexpr int kFourBits = 4;
  return at_width("qdmp_e_u4", problem, options.pricing, set_for(problem, options.pricing, qdmp_set), kFourBits);
}

}  // namespace cleave::search
