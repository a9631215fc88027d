#pragma once

#include <optional>

#include "search/exact_dual.h"

namespace cleave::search::exact {

/// An answer, evaluated from scratch.
struct Answer {
  double value = 0;  ///< of the goal
  EdgePart part;
  Choice choice;
  Evaluation evaluation;
};

/// What a path decides; empty when it breaks a limit.
std::optional<Answer> answer_of(const Problem& problem, const StageGraph& graph, const Path& path, Goal goal,
                                const Limits& limits, Pricing pricing);

/// The limits without those that nothing can break.
Limits that_bind(const Problem& problem, Limits limits);

/// No path has more.
double most_seconds(const StageGraph& graph);

}  // namespace cleave::search::exact
