#include <algorithm>

#include "search/fixed_bits.h"
#include "search/solvers.h"

// The baselines that do not split: all on the cloud, all on the edge.

namespace cleave::search {

namespace {

constexpr int kEightBits = 8;
constexpr int kFewestUniformBits = 2;

Outcome all_on_cloud(const std::string& solver, const Problem& problem, Pricing pricing, int bits) {
  const auto part = make_edge_part(problem, std::vector<bool>(problem.units.size(), false), pricing);
  if (part) return best_of_choices(solver, problem, pricing, *part, {choice_from_width(problem, *part, bits)});
  const auto can_run = std::count_if(problem.units.begin(), problem.units.end(),
                                     [](const ProblemUnit& unit) { return unit.cloud_s.has_value(); });
  return no_side(solver, problem, static_cast<std::size_t>(can_run));
}

/// Everything on the edge at one of these widths.
Outcome all_on_edge(const std::string& solver, const Problem& problem, Pricing pricing,
                    const std::vector<int>& widths) {
  const auto part = make_edge_part(problem, std::vector<bool>(problem.units.size(), true), pricing);
  std::vector<Choice> choices;
  for (const int bits : part ? widths : std::vector<int>{}) {
    if (reaches_width(problem, *part, bits)) choices.push_back(choice_from_width(problem, *part, bits));
  }
  if (!choices.empty()) return best_of_choices(solver, problem, pricing, *part, choices);
  const auto can_run = std::count_if(problem.units.begin(), problem.units.end(),
                                     [](const ProblemUnit& unit) { return !unit.edge_s.empty(); });
  return no_side(solver, problem, static_cast<std::size_t>(can_run));
}

}  // namespace

Outcome solve_cloud_only(const Problem& problem, const SolveOptions& options) {
  return all_on_cloud("cloud_only", problem, options.pricing, kWidest);
}

Outcome solve_cloud16(const Problem& problem, const SolveOptions& options) {
  return all_on_cloud("cloud16", problem, options.pricing, kEightBits);
}

Outcome solve_edge_only_8bit(const Problem& problem, const SolveOptions& options) {
  return all_on_edge("edge_only_8bit", problem, options.pricing, {kEightBits});
}

Outcome solve_uniform(const Problem& problem, const SolveOptions& options) {
  std::vector<int> widths;
  for (int bits = kFewestUniformBits; bits <= kEightBits; ++bits) widths.push_back(bits);
  return all_on_edge("uniform", problem, options.pricing, widths);
}

}  // namespace cleave::search
