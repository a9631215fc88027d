#include <algorithm>

#include "search/edge_part.h"
#include "search/infeasible.h"
#include "search/relaxation.h"
#include "search/solvers.h"

namespace cleave::search {

namespace {

Outcome no_answer(const std::string& solver, const Infeasibility& why) {
  Outcome outcome;
  outcome.solver = solver;
  outcome.status = Status::kInfeasible;
  outcome.infeasibility = why;
  return outcome;
}

/// A baseline has one choice, so what it needs is what it takes.
Outcome one_choice(const std::string& solver, const Problem& problem, Pricing pricing, const EdgePart& part,
                   const Choice& choice) {
  const Evaluation evaluation = evaluate(problem, part, choice);
  if (within_limits(problem.limits, evaluation)) {
    return make_outcome(solver, Status::kFeasible, to_decision(problem, part, choice), evaluation,
                        lower_bound_s(problem, pricing));
  }
  const auto why = tightest_limit(
      problem.limits, [&evaluation](Goal goal, const Limits&) { return std::optional(goal_value(goal, evaluation)); });
  return no_answer(solver, *why);
}

Infeasibility no_side(const Problem& problem, std::size_t can_run) {
  return {"units", static_cast<double>(problem.units.size()), static_cast<double>(can_run)};
}

/// Position of the narrowest option of at least `bits`; -1 when there is none.
template <typename Option>
int narrowest_from(const std::vector<Option>& options, int bits) {
  for (std::size_t o = 0; o < options.size(); ++o) {
    if (options[o].bits >= bits) return static_cast<int>(o);
  }
  return -1;
}

constexpr int kEightBits = 8;

/// 8 bits everywhere; empty when a list ends below.
std::optional<Choice> eight_bits(const Problem& problem, const EdgePart& part) {
  Choice choice = uniform_choice(problem, part, false);
  bool complete = true;
  const auto set = [&complete](std::vector<int>& chosen, int position, const auto& options) {
    const int option = narrowest_from(options, kEightBits);
    chosen[static_cast<std::size_t>(position)] = option;
    complete = complete && option >= 0;
  };
  for (const int u : part.units) {
    const ProblemUnit& unit = problem.units[static_cast<std::size_t>(u)];
    if (unit.has_weights) set(choice.weight, u, unit.weight);
  }
  for (const int t : part.decided) set(choice.activation, t, problem.tensors[static_cast<std::size_t>(t)].activation);
  for (const int t : part.crossing) set(choice.wire, t, problem.tensors[static_cast<std::size_t>(t)].wire);
  return complete ? std::optional(choice) : std::nullopt;
}

}  // namespace

Outcome solve_cloud_only(const Problem& problem, const SolveOptions& options) {
  const auto part = make_edge_part(problem, std::vector<bool>(problem.units.size(), false), options.pricing);
  if (!part) {
    const auto can_run = std::count_if(problem.units.begin(), problem.units.end(),
                                       [](const ProblemUnit& unit) { return unit.cloud_s.has_value(); });
    return no_answer("cloud_only", no_side(problem, static_cast<std::size_t>(can_run)));
  }
  Choice choice = uniform_choice(problem, *part, false);
  for (const int t : part->crossing) {
    const ProblemTensor& tensor = problem.tensors[static_cast<std::size_t>(t)];
    const int option = tensor.activation.empty() ? -1 : narrowest_from(tensor.wire, tensor.activation.back().bits);
    if (option >= 0) choice.wire[static_cast<std::size_t>(t)] = option;
  }
  return one_choice("cloud_only", problem, options.pricing, *part, choice);
}

Outcome solve_edge_only_8bit(const Problem& problem, const SolveOptions& options) {
  const auto part = make_edge_part(problem, std::vector<bool>(problem.units.size(), true), options.pricing);
  const auto choice = part ? eight_bits(problem, *part) : std::nullopt;
  if (!choice) {
    const auto can_run = std::count_if(problem.units.begin(), problem.units.end(),
                                       [](const ProblemUnit& unit) { return !unit.edge_s.empty(); });
    return no_answer("edge_only_8bit", no_side(problem, static_cast<std::size_t>(can_run)));
  }
  return one_choice("edge_only_8bit", problem, options.pricing, *part, *choice);
}

}  // namespace cleave::search
