#include "search/exact_answer.h"

#include <algorithm>

#include "search/item.h"

namespace cleave::search::exact {

namespace {

/// Every tensor and weight at its widest, all at once: no plan has more.
std::int64_t most_activation_bytes(const Problem& problem) {
  std::int64_t bytes = 0;
  for (const ProblemTensor& tensor : problem.tensors) {
    int bits = 0;
    if (!tensor.activation.empty()) bits = tensor.activation.back().bits;
    if (!tensor.wire.empty()) bits = std::max(bits, tensor.wire.back().bits);
    bytes += (tensor.elements * bits + 7) / 8;
  }
  return bytes;
}
std::int64_t most_weight_bytes(const Problem& problem) {
  std::int64_t bytes = 0;
  for (const ProblemUnit& unit : problem.units) {
    const auto most = std::max_element(unit.weight.begin(), unit.weight.end(),
                                       [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
    bytes += most->bytes;
  }
  return bytes;
}

Choice nothing_chosen(const Problem& problem) {
  return {std::vector<int>(problem.units.size(), -1), std::vector<int>(problem.tensors.size(), -1),
          std::vector<int>(problem.tensors.size(), -1)};
}

/// The edge units of a path, and its options.
std::pair<std::vector<bool>, Choice> decided_by(const Problem& problem, const StageGraph& graph, const Path& path) {
  std::vector<bool> on_edge(problem.units.size(), false);
  Choice choice = nothing_chosen(problem);
  for (std::size_t i = 0; i < path.steps.size(); ++i) {
    const Step& step = graph.step(path.steps[i]);
    const int option = step.menu >= 0 ? graph.offers(step.menu)[static_cast<std::size_t>(path.offers[i])].option : -1;
    if (step.kind == StepKind::kEdgeUnit) {
      item(on_edge, step.subject) = true;
      item(choice.weight, step.subject) = option;
    } else if (step.kind == StepKind::kEdgeTensor) {
      item(choice.activation, step.subject) = step.activation;
      item(choice.wire, step.subject) = option;
    }
  }
  return {std::move(on_edge), std::move(choice)};
}

double most_seconds(const StageGraph& graph, const Step& step) {
  double offer = 0;
  if (step.menu >= 0) {
    for (const Offer& one : graph.offers(step.menu)) offer = std::max(offer, one.seconds);
  }
  return step.seconds + offer;
}

}  // namespace

std::optional<Answer> answer_of(const Problem& problem, const StageGraph& graph, const Path& path, Goal goal,
                                const Limits& limits, Pricing pricing) {
  auto [on_edge, choice] = decided_by(problem, graph, path);
  std::optional<EdgePart> part = make_edge_part(problem, std::move(on_edge), pricing);
  if (!part) return std::nullopt;
  const Evaluation evaluation = evaluate(problem, *part, choice);
  if (!within_limits(limits, evaluation)) return std::nullopt;
  return Answer{goal_value(goal, evaluation), std::move(*part), std::move(choice), evaluation};
}

Limits that_bind(const Problem& problem, Limits limits) {
  const std::int64_t activations = most_activation_bytes(problem), weights = most_weight_bytes(problem);
  if (limits.activation_bytes && activations <= *limits.activation_bytes) limits.activation_bytes.reset();
  if (limits.weight_bytes && weights <= *limits.weight_bytes) limits.weight_bytes.reset();
  if (limits.edge_memory_bytes && activations + weights <= *limits.edge_memory_bytes) limits.edge_memory_bytes.reset();
  return limits;
}

double most_seconds(const StageGraph& graph) {
  double sum = 0;
  for (std::size_t s = 0; s + 2 < graph.stages().size(); ++s) {
    double most = 0;
    for (int node = graph.stages()[s]; node < graph.stages()[s + 1]; ++node) {
      for (const Step& step : graph.steps_of(node)) most = std::max(most, most_seconds(graph, step));
    }
    sum += most;
  }
  return sum;
}

}  // namespace cleave::search::exact
