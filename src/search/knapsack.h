#pragma once

#include <vector>

namespace cleave::search {

/// One option of an item: what it costs and what it takes from the budget.
struct KnapsackOption {
  double cost;
  double weight;
};
using KnapsackItem = std::vector<KnapsackOption>;

/// One option per item, least total cost with total weight <= budget; empty when not even the lightest fit.
///
/// Up to 4096 combinations are looked at one by one; beyond, cost + lambda * weight is minimised per item with lambda
/// by bisection, and what is left of the budget buys the best remaining steps. Source: Shoham & Gersho 1988. Cost
/// O(items * options * 64) beyond the small case.
std::vector<int> choose_within(const std::vector<KnapsackItem>& items, double budget);

}  // namespace cleave::search
