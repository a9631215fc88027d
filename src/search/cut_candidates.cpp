#include "search/cut_candidates.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "search/edge_sets.h"
#include "search/infeasible.h"
#include "search/item.h"
#include "search/solvers.h"

namespace cleave::search {

namespace {

constexpr std::int64_t kSmallProblem = 2'000'000;

std::vector<bool> prefix_set(const ForcedSides& forced, std::size_t length) {
  std::vector<bool> on_edge = forced.edge;
  for (std::size_t u = 0; u < length; ++u) on_edge[u] = on_edge[u] || !forced.cloud[u];
  return on_edge;
}

/// All options at the widest of at most `bits`.
Choice uniform_bits(const Problem& problem, const EdgePart& part, int bits) {
  Choice choice = uniform_choice(problem, part, true);
  for (const int u : part.units) item(choice.weight, u) = widest_up_to(item(problem.units, u).weight, bits);
  for (const int t : part.decided) item(choice.activation, t) = widest_up_to(item(problem.tensors, t).activation, bits);
  for (const int t : part.crossing) item(choice.wire, t) = widest_up_to(item(problem.tensors, t).wire, bits);
  return choice;
}

std::vector<Evaluation> evidence(const Problem& problem, Pricing pricing) {
  std::vector<Evaluation> found;
  for (const EdgePart& part : prefix_parts(problem, pricing)) {
    std::vector<int> widths = offered_activation_bits(problem, part);
    for (const int t : part.crossing) {
      for (const WireOption& option : item(problem.tensors, t).wire) widths.push_back(option.bits);
    }
    const std::vector<int> weights = offered_weight_bits(problem, part);
    widths.insert(widths.end(), weights.begin(), weights.end());
    for (const int bits : std::set<int>(widths.begin(), widths.end())) {
      found.push_back(evaluate(problem, part, uniform_bits(problem, part, bits)));
    }
  }
  return found;
}

std::optional<Outcome> settled(const std::string& solver, const Problem& problem, const SolveOptions& options) {
  SolveOptions small = options;
  small.max_decisions = std::min(options.max_decisions, kSmallProblem);
  try {
    Outcome outcome = solve_exhaustive(problem, small);
    outcome.solver = solver;
    if (outcome.status == Status::kOptimal) outcome.status = Status::kFeasible;
    return outcome;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
    return std::nullopt;
  }
}

}  // namespace

std::vector<std::vector<bool>> prefix_sets(const Problem& problem) {
  const ForcedSides forced = forced_sides(problem);
  std::vector<std::vector<bool>> sets;
  for (std::size_t length = 0; length <= problem.units.size(); ++length) {
    std::vector<bool> on_edge = prefix_set(forced, length);
    if (sets.empty() || on_edge != sets.back()) sets.push_back(std::move(on_edge));  // they only grow
  }
  return sets;
}

std::vector<EdgePart> prefix_parts(const Problem& problem, Pricing pricing) {
  std::vector<EdgePart> parts;
  for (std::vector<bool>& on_edge : prefix_sets(problem)) {
    if (auto part = make_edge_part(problem, std::move(on_edge), pricing)) parts.push_back(std::move(*part));
  }
  return parts;
}

std::vector<int> offered_weight_bits(const Problem& problem, const EdgePart& part) {
  std::set<int> bits;
  for (const int u : part.units) {
    for (const WeightOption& option : item(problem.units, u).weight) bits.insert(option.bits);
  }
  return {bits.begin(), bits.end()};
}

std::vector<int> offered_activation_bits(const Problem& problem, const EdgePart& part) {
  std::set<int> bits;
  for (const int t : part.decided) {
    for (const ActivationOption& option : item(problem.tensors, t).activation) bits.insert(option.bits);
  }
  return {bits.begin(), bits.end()};
}

Outcome nothing_found(const std::string& solver, const Problem& problem, const SolveOptions& options) {
  if (auto outcome = settled(solver, problem, options)) return *outcome;
  const std::vector<Evaluation> found = evidence(problem, options.pricing);
  Outcome outcome;
  outcome.solver = solver;
  outcome.status = options.stop.stop_requested() ? Status::kOutOfTime : Status::kInfeasible;
  if (outcome.status == Status::kOutOfTime) return outcome;
  const auto count = static_cast<double>(problem.units.size());
  outcome.infeasibility = Infeasibility{"units", count, 0};
  if (found.empty()) return outcome;
  const auto least = [&found](Goal goal, const Limits& kept) { return least_of(found, goal, kept); };
  if (const auto tightest = tightest_limit(problem.limits, least)) outcome.infeasibility = tightest;
  return outcome;
}

}  // namespace cleave::search
