#pragma once

#include <functional>
#include <optional>

#include "search/bit_search.h"

namespace cleave::search {

/// The least value of a goal over all plans that keep these limits; empty when there is none.
using LeastNeeded = std::function<std::optional<double>(Goal goal, const Limits& kept)>;

/// The same over these alone.
std::optional<double> least_of(const std::vector<Evaluation>& found, Goal goal, const Limits& kept);

/// The constraint to name when no plan keeps all limits:
///   1. of those that no plan meets even alone, the one with the largest needed / allowed;
///   2. else, of those whose loosening alone brings a plan, the one with the smallest needed / allowed, needed being
///   the
///      least with all the others kept;
///   3. else the first limit (memory, weights, activations, distortion) that fails with the ones before it kept.
/// Empty when every limit can be met: then a plan exists.
std::optional<Infeasibility> tightest_limit(const Limits& limits, const LeastNeeded& least);

}  // namespace cleave::search
