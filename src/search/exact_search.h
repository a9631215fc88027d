#pragma once

#include <optional>

#include "search/exact_answer.h"

namespace cleave::search::exact {

struct SearchResult {
  double bound = 0;            ///< no answer has less; infinite when there is none
  std::optional<Answer> best;  ///< the best found
  Prices prices;               ///< of the dual's maximum: what one unit of distortion, one byte of weights are worth
  bool has_path = true;        ///< without the limits there is an answer
  int placeable_units = 0;
};

/// The least goal (kLatency, kWeightBytes or kDistortion) within the limits, proved down to a gap or as far as the stop
/// allows. With ties: of all optima the first in the contract's order.
///
/// Branch and bound, the part of the answers with the lowest bound first. Of each part
///
///   1. the dual bounds what any answer needs, and its minima are first answers;
///   2. a walk with few labels per node finds better ones;
///   3. walks with a ceiling that rises from the bound to the best answer settle the part, or at least raise its bound;
///   4. else it is divided: by the side of a unit or the wire of a tensor about which the dual's minima disagree; where
///   weights
///      and activations share one limit M by the activation peak (above p, weights have at most M - p; below, steps
///      with more are closed). A part that cannot be divided gets a walk with many labels.
/// Throws TooWide.
SearchResult search(const Problem& problem, Goal goal, const Limits& limits, const SolveOptions& options, bool ties);

}  // namespace cleave::search::exact
