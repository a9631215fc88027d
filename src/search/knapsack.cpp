#include "search/knapsack.h"

#include <algorithm>
#include <limits>

namespace cleave::search {

namespace {

constexpr double kSmall = 4096;

struct Total {
  double cost = 0;
  double weight = 0;
};

Total total_of(const std::vector<KnapsackItem>& items, const std::vector<int>& chosen) {
  Total total;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const KnapsackOption& option = items[i][static_cast<std::size_t>(chosen[i])];
    total.cost += option.cost;
    total.weight += option.weight;
  }
  return total;
}

/// The next combination, first item fastest; false after the last.
bool advance(const std::vector<KnapsackItem>& items, std::vector<int>& chosen) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (++chosen[i] < static_cast<int>(items[i].size())) return true;
    chosen[i] = 0;
  }
  return false;
}

std::vector<int> try_all(const std::vector<KnapsackItem>& items, double budget) {
  std::vector<int> chosen(items.size(), 0);
  std::vector<int> best;
  double best_cost = std::numeric_limits<double>::infinity();
  do {
    const Total total = total_of(items, chosen);
    if (total.weight > budget || total.cost >= best_cost) continue;
    best_cost = total.cost;
    best = chosen;
  } while (advance(items, chosen));
  return best;
}

/// Per item the least cost + lambda * weight; among equals the lightest.
std::vector<int> priced(const std::vector<KnapsackItem>& items, double lambda) {
  std::vector<int> chosen;
  for (const KnapsackItem& item : items) {
    const auto less = [lambda](const KnapsackOption& a, const KnapsackOption& b) {
      const double pa = a.cost + lambda * a.weight;
      const double pb = b.cost + lambda * b.weight;
      return pa < pb || (pa == pb && a.weight < b.weight);
    };
    chosen.push_back(static_cast<int>(std::min_element(item.begin(), item.end(), less) - item.begin()));
  }
  return chosen;
}

std::vector<int> lightest(const std::vector<KnapsackItem>& items) {
  std::vector<int> chosen;
  for (const KnapsackItem& item : items) {
    const auto less = [](const KnapsackOption& a, const KnapsackOption& b) {
      return a.weight < b.weight || (a.weight == b.weight && a.cost < b.cost);
    };
    chosen.push_back(static_cast<int>(std::min_element(item.begin(), item.end(), less) - item.begin()));
  }
  return chosen;
}

std::vector<int> bisect(const std::vector<KnapsackItem>& items, double budget) {
  std::vector<int> best = lightest(items);
  if (total_of(items, best).weight > budget) return {};
  if (const auto free = priced(items, 0); total_of(items, free).weight <= budget) return free;
  double low = 0;
  double high = 1e-12;
  while (high < 1e300 && total_of(items, priced(items, high)).weight > budget) high *= 1024;
  for (int step = 0; step < 64; ++step) {
    const double middle = low > 0 ? std::max(low, 1e-300) * 0.5 + high * 0.5 : high * 0.5;
    const auto chosen = priced(items, middle);
    const Total total = total_of(items, chosen);
    (total.weight > budget ? low : high) = middle;
    if (total.weight <= budget && total.cost < total_of(items, best).cost) best = chosen;
  }
  return best;
}

/// Buys the step of the largest saving per weight while the budget lasts.
void fill(const std::vector<KnapsackItem>& items, double budget, std::vector<int>& chosen) {
  for (;;) {
    const double left = budget - total_of(items, chosen).weight;
    double best_rate = 0;
    std::size_t best_item = items.size();
    int best_option = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const KnapsackOption& now = items[i][static_cast<std::size_t>(chosen[i])];
      for (std::size_t o = 0; o < items[i].size(); ++o) {
        const double saving = now.cost - items[i][o].cost;
        const double more = items[i][o].weight - now.weight;
        if (saving <= 0 || more > left) continue;
        const double rate = saving / std::max(more, std::numeric_limits<double>::min());
        if (rate <= best_rate) continue;
        best_rate = rate;
        best_item = i;
        best_option = static_cast<int>(o);
      }
    }
    if (best_item == items.size()) return;
    chosen[best_item] = best_option;
  }
}

}  // namespace

std::vector<int> choose_within(const std::vector<KnapsackItem>& items, double budget) {
  double combinations = 1;
  for (const KnapsackItem& item : items) combinations *= static_cast<double>(item.size());
  if (combinations <= kSmall) return try_all(items, budget);
  std::vector<int> chosen = bisect(items, budget);
  if (!chosen.empty()) fill(items, budget, chosen);
  return chosen;
}

}  // namespace cleave::search
