#include "search/exact_labels.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "search/exact_staircase.h"
#include "search/exact_tie_order.h"

namespace cleave::search::exact {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Which sums tell labels apart.
struct SumsThatCount {
  bool distortion, weights, held, peak;
};

class Walk {
 public:
  Walk(const StageGraph& graph, const Limits& limits, const Region& region, const Futures& futures,
       const WalkOptions& options, const std::stop_token& stop)
      : graph_(graph),
        limits_(limits),
        region_(region),
        futures_(futures),
        options_(options),
        stop_(stop),
        sums_{limits.distortion.has_value(), limits.weight_bytes || limits.edge_memory_bytes,
              limits.activation_bytes || limits.edge_memory_bytes, limits.edge_memory_bytes.has_value()},
        order_(graph, arena_) {
    const double most = options.most_seconds + refund(futures.dual.prices, region);
    most_priced_ = most + 4e-12 * most;
    most_distortion_ = limits.distortion ? *limits.distortion * (1 + 1e-12) : kInfinity;
    most_weights_ = limits.weight_bytes ? static_cast<double>(*limits.weight_bytes) : kInfinity;
  }

  WalkResult run() {
    WalkResult result;
    arena_.push_back({});
    arena_.back().peak_bytes = options_.peak_above;  // what is less makes no difference
    std::vector<std::size_t> here{0};                // per node of the stage: where its labels begin in the arena
    std::vector<std::size_t> ends{1};
    for (std::size_t s = 0; s + 2 < graph_.stages().size(); ++s) {
      if (!walk_stage(s, here, ends)) return result;
    }
    for (std::size_t i = here.empty() ? 0 : here.front(); !ends.empty() && i < ends.back(); ++i) finals_.push_back(i);
    sort_finals();
    for (const std::size_t label : finals_) result.paths.push_back(path_of(label));
    result.complete = options_.most_per_node == 0;
    return result;
  }

 private:
  /// From the labels of a stage's nodes to those of the next one's; false when there are too many or a stop is asked
  /// for.
  bool walk_stage(std::size_t stage, std::vector<std::size_t>& begins, std::vector<std::size_t>& ends) {
    const int first = graph_.stages()[stage], next = graph_.stages()[stage + 1], after = graph_.stages()[stage + 2];
    std::vector<std::vector<Label>> made(static_cast<std::size_t>(after - next));
    std::size_t count = 0;
    for (int node = first; node < next; ++node) {
      if (stop_.stop_requested()) return false;
      const auto n = static_cast<std::size_t>(node - first);
      std::size_t index = graph_.first_step_of(node);
      for (const Step& step : graph_.steps_of(node)) {
        if (region_.allows(step) && futures_.dual.to_end[static_cast<std::size_t>(step.to)] < kInfinity) {
          auto& into = made[static_cast<std::size_t>(step.to - next)];
          const std::size_t before = into.size();
          for (std::size_t i = begins[n]; i < ends[n]; ++i) follow(i, step, index, into);
          count += into.size() - before;
        }
        ++index;
      }
      if (arena_.size() + count > 4 * options_.most_labels) return false;
    }
    begins.assign(made.size(), 0);
    ends.assign(made.size(), 0);
    for (std::size_t n = 0; n < made.size(); ++n) {
      begins[n] = arena_.size();
      keep_best(made[n]);
      ends[n] = arena_.size();
      if (arena_.size() > options_.most_labels) return false;
    }
    return true;
  }

  void follow(std::size_t from, const Step& step, std::size_t index, std::vector<Label>& into) {
    Label label = arena_[from];
    label.parent = from;
    label.step = index;
    label.offer = -1;
    label.seconds += step.seconds;
    label.distortion += step.distortion;
    label.held_bytes += step.held_bytes;
    if (step.menu < 0) return add(label, step, into);
    const auto offers = graph_.offers(step.menu);
    for (std::size_t o = 0; o < offers.size(); ++o) {
      const Offer& offer = offers[o];
      if (!region_.allows(offer, graph_.wire_of(step.menu))) continue;
      // Within a range of wires the one that makes an offer inefficient may be closed.
      if (!offer.efficient && !options_.keep_ties && region_.wires.empty()) continue;
      Label chosen = label;
      chosen.offer = static_cast<int>(o);
      chosen.seconds += offer.seconds;
      chosen.distortion += offer.distortion;
      chosen.weight_bytes += offer.weight_bytes;
      chosen.held_bytes += offer.held_bytes;
      add(chosen, step, into);
    }
  }

  double priced(const Label& label) const {
    const Prices& prices = futures_.dual.prices;
    return label.seconds + prices.distortion * label.distortion +
           prices.weight_bytes * static_cast<double>(label.weight_bytes);
  }

  /// If it can still end within everything.
  void add(Label& label, const Step& step, std::vector<Label>& into) const {
    const auto to = static_cast<std::size_t>(step.to);
    if (priced(label) + futures_.dual.to_end[to] > most_priced_) return;
    if (label.distortion + futures_.least_distortion[to] > most_distortion_) return;
    const double weights = static_cast<double>(label.weight_bytes) + futures_.least_weight_bytes[to];
    if (weights > most_weights_) return;
    if (step.live_bytes >= 0) {
      const std::int64_t live = step.live_bytes + label.held_bytes;
      if (static_cast<double>(live) > region_.live_bytes) return;
      label.peak_bytes = std::max(label.peak_bytes, live);
    }
    if (limits_.edge_memory_bytes &&
        weights + static_cast<double>(label.peak_bytes) > static_cast<double>(*limits_.edge_memory_bytes)) {
      return;
    }
    into.push_back(label);
  }

  bool no_worse(const Label& a, const Label& b) const {
    return a.seconds <= b.seconds && (!sums_.distortion || a.distortion <= b.distortion) &&
           (!sums_.weights || a.weight_bytes <= b.weight_bytes) && (!sums_.held || a.held_bytes <= b.held_bytes) &&
           (!sums_.peak || a.peak_bytes <= b.peak_bytes);
  }

  /// Moves the labels of one node that no other one dominates into the arena.
  void keep_best(std::vector<Label>& made) {
    if (options_.most_per_node > 0) keep_promising(made);
    std::sort(made.begin(), made.end(), [](const Label& a, const Label& b) {
      return std::tie(a.seconds, a.distortion, a.weight_bytes, a.peak_bytes, a.held_bytes, a.parent, a.step, a.offer) <
             std::tie(b.seconds, b.distortion, b.weight_bytes, b.peak_bytes, b.held_bytes, b.parent, b.step, b.offer);
    });
    const std::size_t begin = arena_.size();
    if (options_.keep_ties) {
      keep_with_ties(made, begin);
    } else {
      keep_undominated(made);
    }
    std::vector<Label>().swap(made);
  }

  /// Labels in order of seconds: one staircase for each pair of held and peak bytes, of which there are few.
  void keep_undominated(const std::vector<Label>& made) {
    std::map<std::pair<std::int64_t, std::int64_t>, Staircase> stairs;
    for (const Label& label : made) {
      const double distortion = sums_.distortion ? label.distortion : 0;
      const std::int64_t weights = sums_.weights ? label.weight_bytes : 0;
      const std::pair memory(sums_.held ? label.held_bytes : 0, sums_.peak ? label.peak_bytes : 0);
      const bool beaten = std::any_of(stairs.begin(), stairs.upper_bound(memory), [&](const auto& step) {
        return step.first.second <= memory.second && step.second.covers(distortion, weights);
      });
      if (beaten) continue;
      stairs[memory].enter(distortion, weights);
      arena_.push_back(label);
    }
  }

  void keep_with_ties(const std::vector<Label>& made, std::size_t begin) {
    std::vector<Label> kept;
    for (const Label& label : made) {
      const auto beats = [&](const Label& a, const Label& b) { return no_worse(a, b) && order_.compare(a, b) <= 0; };
      if (std::any_of(kept.begin(), kept.end(), [&](const Label& other) { return beats(other, label); })) continue;
      std::erase_if(kept, [&](const Label& other) { return beats(label, other); });
      kept.push_back(label);
    }
    arena_.resize(begin);
    arena_.insert(arena_.end(), kept.begin(), kept.end());
  }

  /// A first choice of those that may be kept; dominated ones among them go later.
  void keep_promising(std::vector<Label>& made) const {
    if (made.size() <= options_.most_per_node) return;
    std::nth_element(made.begin(), made.begin() + static_cast<std::ptrdiff_t>(options_.most_per_node), made.end(),
                     [this](const Label& a, const Label& b) { return priced(a) < priced(b); });
    made.resize(options_.most_per_node);
  }

  void sort_finals() {
    std::stable_sort(finals_.begin(), finals_.end(), [this](std::size_t a, std::size_t b) {
      return options_.keep_ties ? order_.compare(arena_[a], arena_[b]) < 0 : arena_[a].seconds < arena_[b].seconds;
    });
  }

  Path path_of(std::size_t label) const {
    Path path;
    for (; label != 0; label = arena_[label].parent) {
      path.steps.push_back(arena_[label].step);
      path.offers.push_back(arena_[label].offer);
    }
    std::reverse(path.steps.begin(), path.steps.end());
    std::reverse(path.offers.begin(), path.offers.end());
    return path;
  }

  const StageGraph& graph_;
  const Limits& limits_;
  const Region& region_;
  const Futures& futures_;
  const WalkOptions& options_;
  const std::stop_token& stop_;
  SumsThatCount sums_;
  double most_priced_, most_distortion_, most_weights_;
  std::vector<Label> arena_;
  std::vector<std::size_t> finals_;
  TieOrder order_;
};

}  // namespace

Futures futures_of(const StageGraph& graph, const Prices& prices, const Region& region) {
  return {priced_futures(graph, prices, region), priced_futures(graph, {0, 1, 0}, region).to_end,
          priced_futures(graph, {0, 0, 1}, region).to_end};
}

WalkResult walk(const StageGraph& graph, const Limits& limits, const Region& region, const Futures& futures,
                const WalkOptions& options, const std::stop_token& stop) {
  return Walk(graph, limits, region, futures, options, stop).run();
}

}  // namespace cleave::search::exact
