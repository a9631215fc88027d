#pragma once

#include <optional>

#include "search/edge_part.h"

namespace cleave::search {

/// Good bits for a fixed set of edge units, by local moves; empty when it finds none within the limits.
///
/// Starts from the fewest bits (least memory). While the distortion is above its limit, takes the move (one list, or
/// all inputs of a unit together) that lowers it most per second it costs, weights' bytes priced by `seconds_per_byte`.
/// Then takes every move that saves time within the limits, and at last those that lower the distortion for nothing.
/// Cost   O(moves^2) for `moves` options in all.
struct Tuned {
  Choice choice;
  Evaluation evaluation;
};
std::optional<Tuned> tune_bits(const Problem& problem, const EdgePart& part, double seconds_per_byte);

/// Looks for pairs of moves, one that saves time and one that pays for it in distortion or memory, until there is none.
Tuned exchange_bits(const Problem& problem, const EdgePart& part, const Tuned& start);

/// Moves that lower the distortion without costing time, largest gain first.
Tuned spend_free_bits(const Problem& problem, const EdgePart& part, const Tuned& start);

}  // namespace cleave::search
