#include <algorithm>
#include <limits>
#include <set>

#include "search/cut_candidates.h"
#include "search/item.h"
#include "search/relaxation.h"
#include "search/solvers.h"
#include "search/tune_bits.h"

namespace cleave::search {

namespace {

/// A set of edge units and the latency that no choice of bits can beat there.
struct Candidate {
  EdgePart part;
  double bound_s;
};

class Lagrange {
 public:
  Lagrange(const Problem& problem, const SolveOptions& options)
      : problem_(problem),
        options_(options),
        bound_(bound_for(problem, options)),
        relaxation_(problem, bound_.multipliers) {}

  Outcome solve() {
    start_from(solve_cloud_only(problem_, options_));
    start_from(solve_edge_only_8bit(problem_, options_));
    start_from(solve_autosplit(problem_, options_));
    tune_all(first_candidates());
    while (!stopped() && best_part_ && tune_all(neighbours(*best_part_))) {
    }
    return best_part_ ? answer() : nothing_found("lagrange", problem_, options_);
  }

 private:
  static Bound bound_for(const Problem& problem, const SolveOptions& options) {
    if (options.pricing == Pricing::kExact) return best_bound(problem);
    Bound bound;
    bound.bound_s = lower_bound_s(problem, options.pricing);
    return bound;
  }

  void start_from(const Outcome& outcome) {
    const bool usable = outcome.status == Status::kFeasible && within_limits(problem_.limits, outcome.evaluation);
    if (!usable || outcome.evaluation.latency_s >= best_latency_s_) return;
    best_part_ = make_edge_part(problem_, outcome.decision.on_edge, options_.pricing);
    best_tuned_ = {to_choice(problem_, *best_part_, outcome.decision), outcome.evaluation};
    best_latency_s_ = outcome.evaluation.latency_s;
  }

  bool stopped() const { return options_.stop.stop_requested(); }

  /// Under single-tensor pricing crossing tensors are not all paid for, and the relaxation says nothing.
  double bound_of(const std::vector<bool>& on_edge) const {
    return options_.pricing == Pricing::kExact ? relaxation_.bound_of(on_edge) : bound_.bound_s;
  }

  std::vector<Candidate> first_candidates() {
    std::vector<Candidate> candidates;
    for (EdgePart& part : prefix_parts(problem_, options_.pricing)) add(candidates, std::move(part));
    for (const std::vector<bool>& on_edge : bound_.edge_sets) {
      if (auto part = make_edge_part(problem_, on_edge, options_.pricing)) add(candidates, std::move(*part));
    }
    return candidates;
  }

  void add(std::vector<Candidate>& candidates, EdgePart part) {
    if (!seen_.insert(part.on_edge).second) return;
    const double bound_s = bound_of(part.on_edge);
    candidates.push_back({std::move(part), bound_s});
  }

  /// The sets that differ by one unit.
  std::vector<Candidate> neighbours(const EdgePart& part) {
    std::vector<Candidate> candidates;
    for (std::size_t u = 0; u < problem_.units.size(); ++u) {
      std::vector<bool> on_edge = part.on_edge;
      on_edge[u] = !on_edge[u];
      if (seen_.contains(on_edge)) continue;
      if (auto other = make_edge_part(problem_, on_edge, options_.pricing)) add(candidates, std::move(*other));
    }
    return candidates;
  }

  /// Most promising first; those that cannot win are left out. True when one was better.
  bool tune_all(std::vector<Candidate> candidates) {
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.bound_s < b.bound_s; });
    bool better = false;
    for (const Candidate& candidate : candidates) {
      if (stopped() || candidate.bound_s >= best_latency_s_) break;
      better = tune(candidate.part) || better;
    }
    return better;
  }

  bool tune(const EdgePart& part) {
    bool better = false;
    for (const double seconds_per_byte : byte_prices()) {
      const auto tuned = tune_bits(problem_, part, seconds_per_byte);
      if (!tuned) continue;
      // A pair of moves seldom gains more than a tenth: not worth its time on a set that is far behind.
      constexpr double kNear = 1.1;
      const bool near = tuned->evaluation.latency_s < kNear * best_latency_s_;
      better = keep(part, near ? exchange_bits(problem_, part, *tuned) : *tuned) || better;
    }
    return better;
  }

  /// What a byte of weights may be worth where weights are limited: nothing, or of the order of latency per budget.
  std::vector<double> byte_prices() const {
    const Limits& limits = problem_.limits;
    if (!limits.weight_bytes && !limits.edge_memory_bytes) return {0};
    const double budget = static_cast<double>(limits.weight_bytes ? *limits.weight_bytes : *limits.edge_memory_bytes);
    const double scale = std::max(bound_.bound_s, 1e-9) / std::max(budget, 1.0);
    return {0, scale, 100 * scale};
  }

  bool keep(const EdgePart& part, const Tuned& tuned) {
    if (tuned.evaluation.latency_s >= best_latency_s_) return false;
    best_latency_s_ = tuned.evaluation.latency_s;
    best_part_ = part;
    best_tuned_ = tuned;
    return true;
  }

  Outcome answer() const {
    const Tuned tuned = spend_free_bits(problem_, *best_part_, best_tuned_);
    Outcome outcome = make_outcome("lagrange", Status::kFeasible, to_decision(problem_, *best_part_, tuned.choice),
                                   tuned.evaluation, bound_.bound_s);
    if (outcome.gap_ratio <= options_.gap) outcome.status = Status::kOptimal;
    return outcome;
  }

  const Problem& problem_;
  const SolveOptions& options_;
  Bound bound_;
  Relaxation relaxation_;
  std::set<std::vector<bool>> seen_;
  double best_latency_s_ = std::numeric_limits<double>::infinity();
  std::optional<EdgePart> best_part_;  ///< autosplit's, until something is better
  Tuned best_tuned_;
};

}  // namespace

Outcome solve_lagrange(const Problem& problem, const SolveOptions& options) {
  return Lagrange(problem, options).solve();
}

}  // namespace cleave::search
