#include "search/lower_bound.h"

#include <algorithm>
#include <limits>

namespace cleave::search {

namespace {

double least_edge_s(const ProblemUnit& unit) {
  double least = std::numeric_limits<double>::infinity();
  for (const auto& [weight, row] : unit.edge_s) {
    for (const auto& [activation, seconds] : row) least = std::min(least, seconds);
  }
  return least;
}

}  // namespace

double lower_bound_s(const Problem& problem, Pricing) {
  double sum = 0;
  for (const ProblemUnit& unit : problem.units) {
    const double cloud = unit.cloud_s.value_or(std::numeric_limits<double>::infinity());
    sum += std::min(least_edge_s(unit), cloud);
  }
  return sum;
}

}  // namespace cleave::search
