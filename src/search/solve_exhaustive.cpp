#include <algorithm>
#include <limits>

#include "core/check.h"
#include "core/error.h"
#include "core/text.h"
#include "search/bit_search.h"
#include "search/edge_sets.h"
#include "search/infeasible.h"
#include "search/solvers.h"

namespace cleave::search {

namespace {

constexpr double kTie = 1e-12;  ///< relative; the contract's

struct Candidate {
  std::vector<bool> on_edge;
  double latency_s;
};

/// Fewer edge units first, then the smaller sorted list of positions.
bool comes_before(const std::vector<bool>& a, const std::vector<bool>& b) {
  const auto count_a = std::count(a.begin(), a.end(), true);
  const auto count_b = std::count(b.begin(), b.end(), true);
  if (count_a != count_b) return count_a < count_b;
  for (std::size_t u = 0; u < a.size(); ++u) {
    if (a[u] != b[u]) return a[u];
  }
  return false;
}

class Exhaustive {
 public:
  Exhaustive(const Problem& problem, const SolveOptions& options) : problem_(problem), options_(options) {}

  Outcome solve() {
    const EdgeSetWalk walk = refuse_large();
    for_each_edge_set(problem_, [this](const std::vector<bool>& on_edge) {
      if (options_.stop.stop_requested()) return false;
      look_at(on_edge);
      return true;
    });
    if (options_.stop.stop_requested()) return stopped();
    return candidates_.empty() ? infeasible(walk) : answer();
  }

 private:
  EdgeSetWalk refuse_large() const {
    double count = 0;
    const auto most = static_cast<double>(options_.max_decisions);
    const EdgeSetWalk walk = for_each_edge_set(problem_, [&](const std::vector<bool>& on_edge) {
      if (const auto part = make_edge_part(problem_, on_edge, options_.pricing)) count += choice_count(problem_, *part);
      return count <= most && !options_.stop.stop_requested();
    });
    if (count > most) {
      throw Error(ErrorKind::kUnsupported,
                  "exhaustive looks at every answer, and there are more than " + grouped(options_.max_decisions),
                  "Use --solver lagrange or autosplit, or offer fewer bit-widths.");
    }
    return walk;
  }

  BitSearch search_in(const EdgePart& part, const Limits& limits) const {
    return {problem_, part, limits, [this] { return options_.stop.stop_requested(); }};
  }

  /// The least latency of these edge units, if it can tie with the best or beat it.
  void look_at(const std::vector<bool>& on_edge) {
    const auto part = make_edge_part(problem_, on_edge, options_.pricing);
    if (!part) return;
    // Twice the window: what rounding might lose is sorted out when the best is known.
    auto found = search_in(*part, problem_.limits).least(Goal::kLatency, ceiling(2 * kTie));
    if (!found) return;
    candidates_.push_back({on_edge, found->value});
    if (found->value > best_s_) return;
    best_s_ = found->value;
    best_edge_ = on_edge;
    best_ = std::move(found);
  }

  double ceiling(double window) const {
    // Strictly above a best of 0, so that ties at 0 are seen.
    return std::max(best_s_ * (1 + window), std::numeric_limits<double>::min());
  }

  Outcome answer() const {
    std::vector<Candidate> ties;
    const double most = best_s_ * (1 + kTie);
    std::copy_if(candidates_.begin(), candidates_.end(), std::back_inserter(ties),
                 [most](const Candidate& c) { return c.latency_s <= most; });
    const auto& first = *std::min_element(ties.begin(), ties.end(), [](const Candidate& a, const Candidate& b) {
      return comes_before(a.on_edge, b.on_edge);
    });
    const EdgePart part = *make_edge_part(problem_, first.on_edge, options_.pricing);
    const auto found = search_in(part, problem_.limits).first_within(most);
    if (!found) return stopped();
    return make_outcome("exhaustive", Status::kOptimal, to_decision(problem_, part, found->choice), found->evaluation,
                        best_s_);
  }

  Outcome stopped() const {
    if (best_) {
      const EdgePart part = *make_edge_part(problem_, best_edge_, options_.pricing);
      return make_outcome("exhaustive", Status::kFeasible, to_decision(problem_, part, best_->choice),
                          best_->evaluation, 0);
    }
    Outcome outcome;
    outcome.solver = "exhaustive";
    outcome.status = Status::kOutOfTime;
    return outcome;
  }

  std::optional<double> least_needed(Goal goal, const Limits& kept) const {
    std::optional<double> least;
    for_each_edge_set(problem_, [&](const std::vector<bool>& on_edge) {
      const auto part = make_edge_part(problem_, on_edge, options_.pricing);
      if (!part) return true;
      const double below = least ? *least : std::numeric_limits<double>::infinity();
      if (const auto found = search_in(*part, kept).least(goal, below)) least = found->value;
      return true;
    });
    return least;
  }

  Outcome infeasible(const EdgeSetWalk& walk) const {
    Outcome outcome;
    outcome.solver = "exhaustive";
    outcome.status = Status::kInfeasible;
    if (walk.placeable < problem_.units.size() || !least_needed(Goal::kLatency, {})) {
      outcome.infeasibility =
          Infeasibility{"units", static_cast<double>(problem_.units.size()), static_cast<double>(walk.placeable)};
      return outcome;
    }
    outcome.infeasibility =
        tightest_limit(problem_.limits, [this](Goal goal, const Limits& kept) { return least_needed(goal, kept); });
    if (options_.stop.stop_requested()) return stopped();
    CLEAVE_CHECK(outcome.infeasibility, "every limit can be met, and yet no plan was found");
    return outcome;
  }

  const Problem& problem_;
  const SolveOptions& options_;
  double best_s_ = std::numeric_limits<double>::infinity();
  std::vector<Candidate> candidates_;  ///< every edge set whose least latency may tie with the best
  std::vector<bool> best_edge_;
  std::optional<BitSearch::Found> best_;
};

}  // namespace

Outcome solve_exhaustive(const Problem& problem, const SolveOptions& options) {
  return Exhaustive(problem, options).solve();
}

}  // namespace cleave::search
