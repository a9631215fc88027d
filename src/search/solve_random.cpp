#include <algorithm>
#include <random>

#include "search/bit_state.h"
#include "search/cut_candidates.h"
#include "search/item.h"
#include "search/relaxation.h"
#include "search/solvers.h"
#include "search/tune_bits.h"

namespace cleave::search {

namespace {

/// Draws without std distributions: their results differ between standard libraries.
class Lots {
 public:
  explicit Lots(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return engine_() % n; }
  template <typename List>
  void shuffle(List& list) {
    for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[below(i)]);
  }

 private:
  std::mt19937_64 engine_;
};

/// A test instrument: some plan that keeps the limits, any as likely as it happens to be.
class RandomPlan {
 public:
  RandomPlan(const Problem& problem, const SolveOptions& options)
      : problem_(problem), options_(options), prefixes_(prefix_sets(problem)), lots_(options.seed) {}

  Outcome solve() {
    constexpr int kDraws = 64;
    for (int draw = 0; draw < kDraws && !options_.stop.stop_requested(); ++draw) {
      const auto part = make_edge_part(problem_, random_set(), options_.pricing);
      auto choice = part ? start(*part) : std::nullopt;
      if (!choice) continue;
      *choice = wander(*part, std::move(*choice));
      return make_outcome("random", Status::kFeasible, to_decision(problem_, *part, *choice),
                          evaluate(problem_, *part, *choice), quick_bound_s(problem_, options_.pricing));
    }
    return nothing_found("random", problem_, options_);
  }

 private:
  /// A prefix without up to three of its units and what depends on them.
  std::vector<bool> random_set() {
    std::vector<bool> on_edge = prefixes_[lots_.below(prefixes_.size())];
    for (std::size_t left_out = lots_.below(4); left_out > 0 && !on_edge.empty(); --left_out) {
      on_edge[lots_.below(on_edge.size())] = false;
    }
    for (std::size_t u = 0; u < on_edge.size(); ++u) {
      const auto on_cloud = [&](int t) {
        const int producer = item(problem_.tensors, t).producer;
        return producer >= 0 && !item(on_edge, producer);
      };
      const std::vector<int>& inputs = problem_.units[u].inputs;
      if (std::any_of(inputs.begin(), inputs.end(), on_cloud)) on_edge[u] = false;
    }
    return on_edge;
  }

  /// Some choice that keeps the limits, if one of the usual ones does.
  std::optional<Choice> start(const EdgePart& part) {
    const std::size_t narrowest_first = lots_.below(2);
    for (const std::size_t turn : {0U, 1U}) {
      Choice choice = uniform_choice(problem_, part, turn != narrowest_first);
      if (keeps_limits(part, choice)) return choice;
    }
    auto tuned = tune_bits(problem_, part, 0);
    return tuned ? std::optional(std::move(tuned->choice)) : std::nullopt;
  }

  bool keeps_limits(const EdgePart& part, const Choice& choice) const {
    return within_limits(problem_.limits, evaluate(problem_, part, choice));
  }

  /// Everything that is decided, in random order, changed to a random option where the limits allow it.
  Choice wander(const EdgePart& part, Choice choice) {
    std::vector<Change> changes = random_changes(part);
    lots_.shuffle(changes);
    BitState state(problem_, part, choice);
    for (const Change& change : changes) {
      if (!allowed(state.after({change}))) continue;
      state.make({change});
    }
    return keeps_limits(part, state.choice()) ? state.choice() : choice;  // running sums round
  }

  std::vector<Change> random_changes(const EdgePart& part) {
    std::vector<Change> changes;
    const auto draw = [&](Kind kind, int position, const auto& list) {
      changes.push_back({kind, position, static_cast<int>(lots_.below(list.size()))});
    };
    for (const int u : part.units) draw(Kind::kWeight, u, item(problem_.units, u).weight);
    for (const int t : part.decided) draw(Kind::kActivation, t, item(problem_.tensors, t).activation);
    for (const int t : part.crossing) draw(Kind::kWire, t, item(problem_.tensors, t).wire);
    return changes;
  }

  bool allowed(const BitState::Sums& sums) const {
    Evaluation evaluation;
    evaluation.weight_bytes = sums.weight_bytes;
    evaluation.activation_bytes = sums.peak_bytes;
    evaluation.distortion = sums.distortion;
    return within_limits(problem_.limits, evaluation);
  }

  const Problem& problem_;
  const SolveOptions& options_;
  std::vector<std::vector<bool>> prefixes_;
  Lots lots_;
};

}  // namespace

Outcome solve_random(const Problem& problem, const SolveOptions& options) {
  return RandomPlan(problem, options).solve();
}

}  // namespace cleave::search
