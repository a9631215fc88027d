#include "search/fixed_bits.h"

#include "search/infeasible.h"
#include "search/item.h"
#include "search/relaxation.h"

namespace cleave::search {

namespace {

Outcome no_answer(const std::string& solver, const Infeasibility& why) {
  Outcome outcome;
  outcome.solver = solver;
  outcome.status = Status::kInfeasible;
  outcome.infeasibility = why;
  return outcome;
}

}  // namespace

int wire_of_width(const ProblemTensor& tensor, int bits) {
  if (tensor.producer >= 0 || tensor.activation.empty()) return narrowest_from(tensor.wire, bits);
  return narrowest_from(tensor.wire, item(tensor.activation, narrowest_from(tensor.activation, bits)).bits);
}

Choice choice_from_width(const Problem& problem, const EdgePart& part, int bits) {
  Choice choice = uniform_choice(problem, part, false);
  for (const int u : part.units) item(choice.weight, u) = narrowest_from(item(problem.units, u).weight, bits);
  for (const int t : part.decided)
    item(choice.activation, t) = narrowest_from(item(problem.tensors, t).activation, bits);
  for (const int t : part.crossing) item(choice.wire, t) = wire_of_width(item(problem.tensors, t), bits);
  return choice;
}

bool reaches_width(const Problem& problem, const EdgePart& part, int bits) {
  const auto weights = [&](int u) {
    const ProblemUnit& unit = item(problem.units, u);
    return !unit.has_weights || unit.weight.back().bits >= bits;
  };
  const auto activation = [&](int t) { return item(problem.tensors, t).activation.back().bits >= bits; };
  const auto wire = [&](int t) { return item(problem.tensors, t).wire.back().bits >= bits; };
  return std::all_of(part.units.begin(), part.units.end(), weights) &&
         std::all_of(part.decided.begin(), part.decided.end(), activation) &&
         std::all_of(part.crossing.begin(), part.crossing.end(), wire);
}

Outcome best_of_choices(const std::string& solver, const Problem& problem, Pricing pricing, const EdgePart& part,
                        const std::vector<Choice>& choices) {
  std::vector<Evaluation> found;
  std::optional<std::size_t> best;
  for (const Choice& choice : choices) {
    found.push_back(evaluate(problem, part, choice));
    const bool better = !best || found.back().latency_s < found[*best].latency_s;
    if (better && within_limits(problem.limits, found.back())) best = found.size() - 1;
  }
  if (best) {
    return make_outcome(solver, Status::kFeasible, to_decision(problem, part, choices[*best]), found[*best],
                        quick_bound_s(problem, pricing));
  }
  const auto least = [&found](Goal goal, const Limits& kept) { return least_of(found, goal, kept); };
  return no_answer(solver, *tightest_limit(problem.limits, least));
}

Outcome no_side(const std::string& solver, const Problem& problem, std::size_t can_run) {
  return no_answer(solver, {"units", static_cast<double>(problem.units.size()), static_cast<double>(can_run)});
}

}  // namespace cleave::search
