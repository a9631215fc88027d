#pragma once

#include <string>
#include <vector>

#include "search/edge_part.h"

namespace cleave::search {

/// Candidate edge sets: the prefixes of the schedule, nothing on the edge first, with units that have one side only
/// (and what they need or what needs them) moved there; each once.
std::vector<std::vector<bool>> prefix_sets(const Problem& problem);

/// The same, impossible ones left out.
std::vector<EdgePart> prefix_parts(const Problem& problem, Pricing pricing);

/// Every bit-width that some edge unit's weights (or decided tensor) of the part offers, ascending.
std::vector<int> offered_weight_bits(const Problem& problem, const EdgePart& part);
std::vector<int> offered_activation_bits(const Problem& problem, const EdgePart& part);

/// Position of the widest option of at most `bits`, or of the narrowest.
template <typename Option>
int widest_up_to(const std::vector<Option>& options, int bits) {
  int best = 0;
  for (std::size_t o = 0; o < options.size(); ++o) {
    if (options[o].bits <= bits) best = static_cast<int>(o);
  }
  return best;
}

/// The answer of a heuristic that found no plan. Small problems are settled by exhaustive search: its plan as
/// "feasible", or its proof. Larger ones are called infeasible on the evidence of uniform bit-widths on the candidates,
/// which is no proof.
Outcome nothing_found(const std::string& solver, const Problem& problem, const SolveOptions& options);

}  // namespace cleave::search
