#include <algorithm>
#include <limits>

#include "search/cut_candidates.h"
#include "search/item.h"
#include "search/knapsack.h"
#include "search/relaxation.h"
#include "search/solvers.h"

namespace cleave::search {

namespace {

/// Algorithm 1 on one problem; equation numbers are the paper's.
class AutoSplit {
 public:
  AutoSplit(const Problem& problem, const SolveOptions& options) : problem_(problem), options_(options) {}

  Outcome solve() {
    const std::vector<EdgePart> parts = prefix_parts(problem_, options_.pricing);
    const double raw_bytes = raw_input_bytes(parts);
    for (const EdgePart& part : parts) {
      if (options_.stop.stop_requested()) break;
      if (part.units.empty() || is_potential(part, raw_bytes)) split_at(part);
    }
    if (best_latency_s_ == std::numeric_limits<double>::infinity()) {
      return nothing_found("autosplit", problem_, options_);
    }
    return make_outcome("autosplit", Status::kFeasible, best_decision_, best_,
                        lower_bound_s(problem_, options_.pricing));
  }

 private:
  /// T_0: what Cloud-Only sends at the widest bits; no bound where Cloud-Only is impossible.
  double raw_input_bytes(const std::vector<EdgePart>& parts) const {
    if (parts.empty() || !parts.front().units.empty()) return std::numeric_limits<double>::infinity();
    double bytes = 0;
    for (const int t : parts.front().crossing)
      bytes += static_cast<double>(item(problem_.tensors, t).wire.back().bytes);
    return bytes;
  }

  /// Equation (6): at the fewest bits, the crossing tensors are no more than the raw input and the memory suffices.
  bool is_potential(const EdgePart& part, double raw_bytes) const {
    const Evaluation least = evaluate(problem_, part, uniform_choice(problem_, part, true));
    Limits memory = problem_.limits;
    memory.distortion.reset();
    return static_cast<double>(least.wire_bytes) <= raw_bytes && within_limits(memory, least);
  }

  void split_at(const EdgePart& part) {
    Choice choice = uniform_choice(problem_, part, true);
    if (part.units.empty()) return consider(part, choice);
    for (const int weight_bits : offered_weight_bits(problem_, part)) {
      choose_weights(part, weight_bits, choice);
      for (const int activation_bits : offered_activation_bits(problem_, part)) {
        choose_activations(part, activation_bits, true, choice);
        consider(part, choice);
        choose_activations(part, activation_bits, false, choice);
        consider(part, choice);
      }
    }
    for (const int activation_bits : offered_activation_bits(problem_, part)) {
      for (const bool uniform : {true, false}) {
        choose_activations(part, activation_bits, uniform, choice);
        if (fill_memory(part, choice)) consider(part, choice);
      }
    }
  }

  /// Beside the grid: all memory that the activations leave goes to weights, as in the released code. False where
  /// memory is not limited, or does not suffice.
  bool fill_memory(const EdgePart& part, Choice& choice) const {
    double left = std::numeric_limits<double>::infinity();
    if (problem_.limits.weight_bytes) left = static_cast<double>(*problem_.limits.weight_bytes);
    if (problem_.limits.edge_memory_bytes) {
      const std::int64_t live = evaluate(problem_, part, choice).activation_bytes;
      left = std::min(left, static_cast<double>(*problem_.limits.edge_memory_bytes - live));
    }
    return left < std::numeric_limits<double>::infinity() && choose_weights_within(part, left, choice);
  }

  /// Equation (8): least weight distortion in the memory that uniform weights of `bits` would take.
  void choose_weights(const EdgePart& part, int bits, Choice& choice) const {
    double memory = 0;
    for (const int u : part.units) {
      const auto& options = item(problem_.units, u).weight;
      memory += static_cast<double>(item(options, widest_up_to(options, bits)).bytes);
    }
    choose_weights_within(part, memory, choice);
  }

  /// Least weight distortion in so many bytes; false when even the fewest bits take more.
  bool choose_weights_within(const EdgePart& part, double memory_bytes, Choice& choice) const {
    std::vector<KnapsackItem> items;
    for (const int u : part.units) {
      KnapsackItem& row = items.emplace_back();
      for (const WeightOption& o : item(problem_.units, u).weight) {
        row.push_back({o.distortion, static_cast<double>(o.bytes)});
      }
    }
    const std::vector<int> chosen = choose_within(items, memory_bytes);
    for (std::size_t i = 0; i < chosen.size(); ++i) item(choice.weight, part.units[i]) = chosen[i];
    return !chosen.empty();
  }

  /// Equation (9) in closed form: the most bits that keep a tensor within the largest one at `bits`. The paper's memory
  /// is that one tensor; ours is the peak of what lives together, so all tensors at `bits` are tried beside it.
  void choose_activations(const EdgePart& part, int bits, bool uniform, Choice& choice) const {
    std::int64_t memory_bits = 0;
    for (const int t : part.decided) memory_bits = std::max(memory_bits, item(problem_.tensors, t).elements * bits);
    for (const int t : part.decided) {
      const ProblemTensor& tensor = item(problem_.tensors, t);
      const std::int64_t most = uniform ? bits : memory_bits / std::max<std::int64_t>(tensor.elements, 1);
      item(choice.activation, t) = widest_up_to(tensor.activation, static_cast<int>(std::min<std::int64_t>(most, 64)));
    }
  }

  /// The transmitted bits: fewest bytes in the distortion that is left.
  bool choose_wires(const EdgePart& part, Choice& choice) const {
    if (part.crossing.empty()) return true;
    for (const int t : part.crossing) item(choice.wire, t) = 0;
    const Evaluation now = evaluate(problem_, part, choice);
    double left = std::numeric_limits<double>::infinity();
    if (problem_.limits.distortion) left = *problem_.limits.distortion * (1 + 1e-12) - now.distortion;
    std::vector<KnapsackItem> items;
    for (const int t : part.crossing) {
      const auto& options = item(problem_.tensors, t).wire;
      left += options.front().distortion;
      KnapsackItem& row = items.emplace_back();
      for (const WireOption& o : options) row.push_back({static_cast<double>(o.bytes), o.distortion});
    }
    const std::vector<int> chosen = choose_within(items, left);
    for (std::size_t i = 0; i < chosen.size(); ++i) item(choice.wire, part.crossing[i]) = chosen[i];
    return !chosen.empty();
  }

  void consider(const EdgePart& part, Choice choice) {
    if (!choose_wires(part, choice)) return;
    const Evaluation evaluation = evaluate(problem_, part, choice);
    if (!within_limits(problem_.limits, evaluation) || evaluation.latency_s >= best_latency_s_) return;
    best_latency_s_ = evaluation.latency_s;
    best_ = evaluation;
    best_decision_ = to_decision(problem_, part, choice);
  }

  const Problem& problem_;
  const SolveOptions& options_;
  double best_latency_s_ = std::numeric_limits<double>::infinity();
  Evaluation best_;
  Decision best_decision_;
};

}  // namespace

Outcome solve_autosplit(const Problem& problem, const SolveOptions& options) {
  return AutoSplit(problem, options).solve();
}

}  // namespace cleave::search
