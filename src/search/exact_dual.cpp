#include "search/exact_dual.h"

#include <algorithm>
#include <cmath>

#include "search/exact_planes.h"

namespace cleave::search::exact {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double priced(const Offer& offer, const Prices& prices) {
  return prices.seconds * offer.seconds + prices.distortion * offer.distortion +
         prices.weight_bytes * static_cast<double>(offer.weight_bytes);
}

/// Position of the least priced offer of a menu that the region allows; -1: none.
int least_offer(const StageGraph& graph, int menu, const Prices& prices, const Region& region) {
  const auto offers = graph.offers(menu);
  int best = -1;
  double least = kInfinity;
  for (std::size_t o = 0; o < offers.size(); ++o) {
    const double value = priced(offers[o], prices);
    if (value >= least || !region.allows(offers[o], graph.wire_of(menu))) continue;
    least = value;
    best = static_cast<int>(o);
  }
  return best;
}

/// Least priced offer of each menu.
std::vector<double> least_offers(const StageGraph& graph, const Prices& prices, const Region& region) {
  std::vector<double> least(graph.menu_count(), kInfinity);
  for (std::size_t m = 0; m < least.size(); ++m) {
    const int menu = static_cast<int>(m);
    const int offer = least_offer(graph, menu, prices, region);
    if (offer >= 0) least[m] = priced(graph.offers(menu)[static_cast<std::size_t>(offer)], prices);
  }
  return least;
}

double to_end_by(const Step& step, const PricedFutures& futures, const std::vector<double>& menus,
                 const Region& region) {
  if (!region.allows(step)) return kInfinity;
  return futures.prices.seconds * step.seconds + futures.prices.distortion * step.distortion +
         (step.menu >= 0 ? menus[static_cast<std::size_t>(step.menu)] : 0) +
         futures.to_end[static_cast<std::size_t>(step.to)];
}

class Maximiser {
 public:
  Maximiser(const StageGraph& graph, const Region& region, const std::stop_token& stop)
      : graph_(graph), region_(region), stop_(stop) {}

  Dual run() {
    look_at(0, 0);
    if (dual_.bound == kInfinity || !set_box()) return std::move(dual_);
    for (const auto& [x, y] : {std::pair{most_x_, 0.0}, {0.0, most_y_}, {most_x_, most_y_}}) {
      if (x + y > 0) look_at(x, y);
    }
    constexpr int kMostRounds = 60;
    for (int round = 0; round < kMostRounds && !stop_.stop_requested(); ++round) {
      const Point next = highest_point(planes_, most_x_, most_y_);
      if (next.height <= dual_.bound + 1e-7 * std::abs(dual_.bound)) break;
      look_at(next.x, next.y);
    }
    sort_minima();
    return std::move(dual_);
  }

 private:
  /// Prices are counted in seconds per scale, so that both have the size of the latency.
  double scale(double limit) const { return limit > 0 && limit < kInfinity ? limit : 1; }

  /// Prices that matter; false when a limit cannot be kept.
  bool set_box() {
    const PricedFutures least_distortion = priced_futures(graph_, {0, 1, 0}, region_);
    const PricedFutures least_weights = priced_futures(graph_, {0, 0, 1}, region_);
    const bool kept = least_distortion.to_end[0] <= region_.distortion * (1 + 1e-12) &&
                      least_weights.to_end[0] <= region_.weight_bytes;
    if (!kept) dual_.bound = kInfinity;
    const Sums fastest = sums_of(graph_, dual_.minima.front().path);
    const double most = 100 * std::max(sums_of(graph_, cheapest_path(graph_, least_distortion, region_)).seconds,
                                       std::max(fastest.seconds, 1e-9));
    most_x_ = fastest.distortion > region_.distortion ? most : 0;
    most_y_ = fastest.weight_bytes > region_.weight_bytes ? most : 0;
    // One limit may come to bind because of what the other one asks for.
    if (most_x_ + most_y_ > 0 && region_.distortion < kInfinity) most_x_ = most;
    if (most_x_ + most_y_ > 0 && region_.weight_bytes < kInfinity) most_y_ = most;
    return kept && most_x_ + most_y_ > 0;
  }

  void look_at(double x, double y) {
    const Prices prices{1, x / scale(region_.distortion), y / scale(region_.weight_bytes)};
    const PricedFutures futures = priced_futures(graph_, prices, region_);
    if (futures.to_end[0] == kInfinity) {
      dual_.bound = kInfinity;
      return;
    }
    const double bound = futures.to_end[0] - refund(prices, region_);
    Path path = cheapest_path(graph_, futures, region_);
    const Sums sums = sums_of(graph_, path);
    planes_.push_back(
        {sums.seconds, over(sums.distortion, region_.distortion), over(sums.weight_bytes, region_.weight_bytes)});
    dual_.minima.push_back({std::move(path), 0});
    if (planes_.size() > 1 && bound <= dual_.bound) return;
    dual_.bound = bound;
    dual_.prices = prices;
    best_x_ = x;
    best_y_ = y;
  }

  void sort_minima() {
    for (std::size_t i = 0; i < planes_.size(); ++i) dual_.minima[i].priced = planes_[i].at(best_x_, best_y_);
    std::stable_sort(dual_.minima.begin(), dual_.minima.end(),
                     [](const Dual::Minimum& a, const Dual::Minimum& b) { return a.priced < b.priced; });
  }

  double over(double sum, double limit) const { return limit < kInfinity ? (sum - limit) / scale(limit) : 0; }

  const StageGraph& graph_;
  const Region& region_;
  const std::stop_token& stop_;
  double most_x_ = 0, most_y_ = 0;
  double best_x_ = 0, best_y_ = 0;
  std::vector<Plane> planes_;  ///< of the minima, in the order they were met
  Dual dual_;
};

}  // namespace

PricedFutures priced_futures(const StageGraph& graph, const Prices& prices, const Region& region) {
  PricedFutures futures{prices, {}};
  futures.to_end.assign(static_cast<std::size_t>(graph.node_count()), kInfinity);
  const std::vector<double> menus = least_offers(graph, futures.prices, region);
  for (int node = graph.node_count() - 1; node >= 0; --node) {
    double least = node >= graph.first_final() ? 0 : kInfinity;
    for (const Step& step : graph.steps_of(node)) {
      least = std::min(least, to_end_by(step, futures, menus, region));
    }
    futures.to_end[static_cast<std::size_t>(node)] = least;
  }
  return futures;
}

Path cheapest_path(const StageGraph& graph, const PricedFutures& futures, const Region& region) {
  const std::vector<double> menus = least_offers(graph, futures.prices, region);
  Path path;
  for (int node = 0; node < graph.first_final();) {
    std::size_t best = 0;
    double least = kInfinity;
    std::size_t index = graph.first_step_of(node);
    for (const Step& step : graph.steps_of(node)) {
      const double value = to_end_by(step, futures, menus, region);
      if (value < least) {
        least = value;
        best = index;
      }
      ++index;
    }
    const Step& step = graph.step(best);
    const int offer = step.menu >= 0 ? least_offer(graph, step.menu, futures.prices, region) : -1;
    path.steps.push_back(best);
    path.offers.push_back(offer);
    node = step.to;
  }
  return path;
}

Sums sums_of(const StageGraph& graph, const Path& path) {
  Sums sums;
  for (std::size_t i = 0; i < path.steps.size(); ++i) {
    const Step& step = graph.step(path.steps[i]);
    sums.seconds += step.seconds;
    sums.distortion += step.distortion;
    if (step.menu < 0) continue;
    const Offer& offer = graph.offers(step.menu)[static_cast<std::size_t>(path.offers[i])];
    sums.seconds += offer.seconds;
    sums.distortion += offer.distortion;
    sums.weight_bytes += static_cast<double>(offer.weight_bytes);
  }
  return sums;
}

double refund(const Prices& prices, const Region& region) {
  return (prices.distortion > 0 ? prices.distortion * region.distortion : 0) +
         (prices.weight_bytes > 0 ? prices.weight_bytes * region.weight_bytes : 0);
}

Dual maximise_dual(const StageGraph& graph, const Region& region, const std::stop_token& stop) {
  return Maximiser(graph, region, stop).run();
}

}  // namespace cleave::search::exact
