#pragma once

#include <optional>
#include <string>
#include <vector>

#include "search/solver.h"

namespace cleave::search::testing {

/// The optimum by looking at every subset of units and every choice, written from the problem's statement without any
/// code of the library but the structs. Ties as the statement says.
struct BruteForce {
  bool feasible = false;
  double latency_s = 0;  ///< of the tie-broken answer
  double least_s = 0;
  Decision decision;
  long plans = 0;                  ///< feasible decisions seen
  double least_weight_bytes = -1;  ///< over all decisions, limits left aside; -1: there is none
  double least_activation_bytes = -1;
  double least_memory_bytes = -1;
  double least_distortion = -1;
};
BruteForce brute_force(const Problem& problem, Pricing pricing = Pricing::kExact);

}  // namespace cleave::search::testing
