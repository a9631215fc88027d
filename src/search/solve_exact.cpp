#include <algorithm>
#include <cmath>

#include "search/exact_search.h"
#include "search/infeasible.h"
#include "search/solvers.h"

namespace cleave::search {

namespace {

using exact::Answer;
using exact::SearchResult;

class Exact {
 public:
  Exact(const Problem& problem, const SolveOptions& options) : problem_(problem), options_(options) {}

  Outcome solve() const {
    try {
      return proved();
    } catch (const exact::TooWide&) {
      return too_wide();
    }
  }

 private:
  Outcome proved() const {
    const SearchResult found = exact::search(problem_, Goal::kLatency, problem_.limits, options_, true);
    if (found.best) return answer(found);
    const bool proved_empty = !found.has_path || (std::isinf(found.bound) && !options_.stop.stop_requested());
    return proved_empty ? infeasible(found) : out_of_time();
  }

  Outcome answer(const SearchResult& found) const {
    const Answer& best = *found.best;
    Outcome outcome = make_outcome("exact", Status::kFeasible, to_decision(problem_, best.part, best.choice),
                                   best.evaluation, found.bound);
    if (outcome.gap_ratio <= options_.gap) outcome.status = Status::kOptimal;
    return outcome;
  }

  Outcome too_wide() const {
    try {
      return without_peak();
    } catch (const exact::TooWide&) {
      return heuristic(0);
    }
  }

  /// Without the bits of live tensors in its nodes the graph is small again: the activation peak is left aside, which
  /// bounds the latency, and weights get what the last answer's peak leaves, until an answer keeps all limits.
  Outcome without_peak() const {
    Limits relaxed = problem_.limits;
    relaxed.activation_bytes.reset();
    relaxed.edge_memory_bytes.reset();
    const auto memory = problem_.limits.edge_memory_bytes;
    if (memory) relaxed.weight_bytes = std::min(*memory, relaxed.weight_bytes.value_or(*memory));
    double bound = 0;
    constexpr int kMostTries = 4;
    for (int tries = 0; tries < kMostTries; ++tries) {
      SearchResult found = exact::search(problem_, Goal::kLatency, relaxed, options_, false);
      if (tries == 0) bound = found.bound;
      found.bound = bound;
      if (!found.best) break;
      if (within_limits(problem_.limits, found.best->evaluation)) return better(answer(found), bound);
      if (!memory) break;
      relaxed.weight_bytes = std::min(*relaxed.weight_bytes, *memory - found.best->evaluation.activation_bytes);
      if (*relaxed.weight_bytes < 0) break;
    }
    return heuristic(bound);
  }

  /// The answer, or lagrange's where that is better and a look is worth its time.
  Outcome better(const Outcome& found, double bound) const {
    constexpr double kCloseEnough = 1e-3;
    if (found.gap_ratio <= kCloseEnough || options_.stop.stop_requested()) return found;
    const Outcome other = heuristic(bound);
    const bool answered = other.status == Status::kOptimal || other.status == Status::kFeasible;
    return answered && other.evaluation.latency_s < found.evaluation.latency_s ? other : found;
  }

  /// lagrange's answer, with what is proved by either.
  Outcome heuristic(double bound) const {
    const Outcome found = solve_lagrange(problem_, options_);
    Outcome outcome = found;
    if (found.status == Status::kOptimal || found.status == Status::kFeasible) {
      outcome = make_outcome("exact", found.status, found.decision, found.evaluation,
                             std::max(found.lower_bound_s, std::isfinite(bound) ? bound : 0));
    }
    outcome.solver = "exact";
    return outcome;
  }

  Outcome out_of_time() const {
    Outcome outcome;
    outcome.solver = "exact";
    outcome.status = Status::kOutOfTime;
    return outcome;
  }

  Outcome infeasible(const SearchResult& found) const {
    Outcome outcome;
    outcome.solver = "exact";
    outcome.status = Status::kInfeasible;
    if (!found.has_path) {
      outcome.infeasibility = Infeasibility{"units", static_cast<double>(problem_.units.size()),
                                            static_cast<double>(found.placeable_units)};
      return outcome;
    }
    outcome.infeasibility =
        tightest_limit(problem_.limits, [this](Goal goal, const Limits& kept) { return least_needed(goal, kept); });
    if (options_.stop.stop_requested()) return out_of_time();
    // Sums in another order may meet a limit by a rounding that the search did not grant.
    return outcome.infeasibility ? outcome : heuristic(0);
  }

  std::optional<double> least_needed(Goal goal, const Limits& kept) const {
    if (goal == Goal::kActivationBytes || goal == Goal::kEdgeMemory) return least_memory(goal, kept);
    const auto found = exact::search(problem_, goal, kept, options_, false);
    return found.best ? std::optional(found.best->value) : std::nullopt;
  }

  /// The least limit on the goal with which there is a plan, by bisection.
  std::optional<double> least_memory(Goal goal, const Limits& kept) const {
    Limits limits = kept;
    auto& limit = goal == Goal::kActivationBytes ? limits.activation_bytes : limits.edge_memory_bytes;
    limit.reset();
    const auto any = [&] { return exact::search(problem_, Goal::kWeightBytes, limits, options_, false).best; };
    const auto bytes = [goal](const Answer& found) {
      return static_cast<std::int64_t>(goal_value(goal, found.evaluation));
    };
    auto found = any();
    if (!found) return std::nullopt;
    std::int64_t possible = bytes(*found), impossible = -1;
    while (possible - impossible > 1 && !options_.stop.stop_requested()) {
      limit = impossible + (possible - impossible) / 2;
      found = any();
      if (found) {
        possible = bytes(*found);
      } else {
        impossible = *limit;
      }
    }
    return static_cast<double>(possible);
  }

  const Problem& problem_;
  const SolveOptions& options_;
};

}  // namespace

Outcome solve_exact(const Problem& problem, const SolveOptions& options) {
  return Exact(problem, options).solve();
}

}  // namespace cleave::search
