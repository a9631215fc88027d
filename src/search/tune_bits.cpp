#include "search/tune_bits.h"

#include <algorithm>
#include <limits>
#include <set>

#include "search/bit_state.h"
#include "search/item.h"

namespace cleave::search {

namespace {

constexpr double kGain = 1e-12;  ///< relative; less is rounding

/// All single changes, and for every edge unit with several inputs all of these to one width at once.
std::vector<Move> all_moves(const Problem& problem, const EdgePart& part) {
  std::vector<Move> moves;
  const auto add = [&moves](Kind kind, int position, std::size_t count) {
    for (std::size_t o = 0; count > 1 && o < count; ++o) moves.push_back({{kind, position, static_cast<int>(o)}});
  };
  for (const int u : part.units) add(Kind::kWeight, u, item(problem.units, u).weight.size());
  for (const int t : part.decided) add(Kind::kActivation, t, item(problem.tensors, t).activation.size());
  for (const int t : part.crossing) add(Kind::kWire, t, item(problem.tensors, t).wire.size());
  for (const int u : part.units) {
    const auto& list = item(problem.units, u).inputs;
    const std::set<int> inputs(list.begin(), list.end());
    std::set<int> widths;
    for (const int t : inputs) {
      for (const ActivationOption& option : item(problem.tensors, t).activation) widths.insert(option.bits);
    }
    for (const int bits : widths) {
      Move together;
      for (const int t : inputs) {
        const auto& options = item(problem.tensors, t).activation;
        for (std::size_t o = 0; options.size() > 1 && o < options.size(); ++o) {
          if (options[o].bits == bits) together.push_back({Kind::kActivation, t, static_cast<int>(o)});
        }
      }
      if (together.size() > 1) moves.push_back(together);
    }
  }
  return moves;
}

bool fits(const Limits& limits, const BitState::Sums& sums, bool with_distortion) {
  Evaluation e;
  e.weight_bytes = sums.weight_bytes;
  e.activation_bytes = sums.peak_bytes;
  e.distortion = with_distortion ? sums.distortion : 0;
  return within_limits(limits, e);
}

class Tuner {
 public:
  Tuner(const Problem& problem, const EdgePart& part, Choice choice)
      : problem_(problem), part_(part), state_(problem, part, std::move(choice)), moves_(all_moves(problem, part)) {}

  bool memory_fits() const { return fits(problem_.limits, state_.sums(), false); }

  /// False when the distortion limit stays out of reach.
  bool meet_distortion(double seconds_per_byte) {
    while (!fits(problem_.limits, state_.sums(), true)) {
      const Move* move = best_relief(seconds_per_byte);
      if (move == nullptr) return false;
      state_.make(*move);
    }
    return true;
  }

  void save_time() {
    while (const Move* move = best_saving()) state_.make(*move);
  }

  /// One pair of moves that saves time together; false when there is none.
  bool exchange() {
    const BitState::Sums now = state_.sums();
    for (const Move& move : moves_) {
      const BitState::Sums then = state_.after(move);
      if (then.latency_s >= now.latency_s * (1 - kGain) || same(move)) continue;
      if (const Move pair = with_payment(move, now); !pair.empty()) {
        state_.make(pair);
        return true;
      }
    }
    return false;
  }

  void spend_free() {
    for (;;) {
      const BitState::Sums now = state_.sums();
      const Move* best = nullptr;
      double most = now.distortion * 1e-9;
      for (const Move& move : moves_) {
        const BitState::Sums then = state_.after(move);
        const double gain = now.distortion - then.distortion;
        if (gain <= most || then.latency_s > now.latency_s || !fits(problem_.limits, then, true)) continue;
        most = gain;
        best = &move;
      }
      if (best == nullptr) return;
      state_.make(*best);
    }
  }

  Tuned result() const { return {state_.choice(), evaluate(problem_, part_, state_.choice())}; }

 private:
  bool same(const Move& move) const {
    return std::all_of(move.begin(), move.end(),
                       [this](const Change& c) { return state_.option(c.kind, c.position) == c.option; });
  }

  const Move* best_relief(double seconds_per_byte) {
    const BitState::Sums now = state_.sums();
    const double needed = now.distortion - *problem_.limits.distortion;
    const Move* best = nullptr;
    double best_rate = 0;
    double best_gain = 0;
    for (const Move& move : moves_) {
      const BitState::Sums then = state_.after(move);
      const double gain = std::min(now.distortion - then.distortion, needed);
      if (gain <= 0 || !fits(problem_.limits, then, false)) continue;
      const auto bytes = static_cast<double>(std::max<std::int64_t>(then.weight_bytes - now.weight_bytes, 0));
      const double cost = then.latency_s - now.latency_s + seconds_per_byte * bytes;
      const double rate = cost <= 0 ? std::numeric_limits<double>::infinity() : gain / cost;
      if (rate < best_rate || (rate == best_rate && gain <= best_gain)) continue;
      best_rate = rate;
      best_gain = gain;
      best = &move;
    }
    return best;
  }

  const Move* best_saving() {
    const BitState::Sums now = state_.sums();
    const Move* best = nullptr;
    double least = now.latency_s * (1 - kGain);
    for (const Move& move : moves_) {
      const BitState::Sums then = state_.after(move);
      if (then.latency_s >= least || !fits(problem_.limits, then, true)) continue;
      least = then.latency_s;
      best = &move;
    }
    return best;
  }

  /// The move with the second one that makes it fit and keeps most of the saving; empty when none does.
  Move with_payment(const Move& move, const BitState::Sums& now) {
    Move best;
    double least = now.latency_s * (1 - kGain);
    for (const Move& payment : moves_) {
      if (same(payment)) continue;
      Move pair = move;
      pair.insert(pair.end(), payment.begin(), payment.end());
      const BitState::Sums then = state_.after(pair);
      if (then.latency_s >= least || !fits(problem_.limits, then, true)) continue;
      least = then.latency_s;
      best = pair;
    }
    return best;
  }

  const Problem& problem_;
  const EdgePart& part_;
  BitState state_;
  std::vector<Move> moves_;
};

}  // namespace

std::optional<Tuned> tune_bits(const Problem& problem, const EdgePart& part, double seconds_per_byte) {
  Tuner tuner(problem, part, uniform_choice(problem, part, true));
  if (!tuner.memory_fits() || !tuner.meet_distortion(seconds_per_byte)) return std::nullopt;
  tuner.save_time();
  Tuned tuned = tuner.result();
  return within_limits(problem.limits, tuned.evaluation) ? std::optional(std::move(tuned)) : std::nullopt;
}

Tuned exchange_bits(const Problem& problem, const EdgePart& part, const Tuned& start) {
  constexpr int kMostExchanges = 64;
  Tuner tuner(problem, part, start.choice);
  for (int n = 0; n < kMostExchanges && tuner.exchange(); ++n) tuner.save_time();
  Tuned tuned = tuner.result();
  const bool better = tuned.evaluation.latency_s < start.evaluation.latency_s;
  return better && within_limits(problem.limits, tuned.evaluation) ? tuned : start;
}

Tuned spend_free_bits(const Problem& problem, const EdgePart& part, const Tuned& start) {
  Tuner tuner(problem, part, start.choice);
  tuner.spend_free();
  Tuned tuned = tuner.result();
  const bool no_slower = tuned.evaluation.latency_s <= start.evaluation.latency_s;
  return no_slower && within_limits(problem.limits, tuned.evaluation) ? tuned : start;
}

}  // namespace cleave::search
