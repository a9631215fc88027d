#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "search/problem.h"

namespace cleave::search::testing {

/// input x -> conv (weights) -> y, on the hand-computable device: see small_problems.cpp for the numbers.
Problem one_unit_problem();

/// x -> a -> t; t -> b -> u; (t, u) -> add -> y: a residual block of three units.
Problem residual_problem();

/// A small random problem: chains, residual and branching graphs, several inputs and outputs, tight limits.
Problem random_problem(std::uint64_t seed);

/// The instances of tests/instances: NAME.json is a problem file, NAME.optimum what is known of it.
struct Instance {
  std::string name;
  Problem problem;
  std::string status;    ///< of the optimum
  double latency_s = 0;  ///< when there is one
  std::vector<std::string> edge_units;
};
std::vector<Instance> instances();

}  // namespace cleave::search::testing
