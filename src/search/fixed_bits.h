#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "search/edge_part.h"

namespace cleave::search {

/// What the baselines share: they choose a side for every unit, their bits follow from one rule.

/// Position of the narrowest option of at least `bits`, or of the widest.
template <typename Option>
int narrowest_from(const std::vector<Option>& options, int bits) {
  const auto found =
      std::find_if(options.begin(), options.end(), [bits](const Option& option) { return option.bits >= bits; });
  return static_cast<int>(found == options.end() ? options.size() - 1 : found - options.begin());
}

constexpr int kWidest = 64;  ///< as a width: the widest of every list

/// Position of the wire option of a tensor in an answer of this width: as every list, but a network input is sent as it
/// is held on the edge, not wider.
int wire_of_width(const ProblemTensor& tensor, int bits);

/// Every option the narrowest of at least `bits`, or the widest of a list that ends below; wires by wire_of_width.
Choice choice_from_width(const Problem& problem, const EdgePart& part, int bits);

/// Whether no list that the part chooses from ends below `bits`.
bool reaches_width(const Problem& problem, const EdgePart& part, int bits);

/// The fastest of these choices that keeps the limits; of equal ones the first. Where none does, the limit to name, its
/// `needed` over these choices alone. Status kFeasible or kInfeasible; the bound is quick_bound_s.
Outcome best_of_choices(const std::string& solver, const Problem& problem, Pricing pricing, const EdgePart& part,
                        const std::vector<Choice>& choices);

/// The answer where no set of edge units is possible: only `can_run` units find their side.
Outcome no_side(const std::string& solver, const Problem& problem, std::size_t can_run);

}  // namespace cleave::search
