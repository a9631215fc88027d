#pragma once

#include <stop_token>
#include <vector>

#include "search/exact_dual.h"

namespace cleave::search::exact {

/// What a walk over partial answers may leave out, and when it gives up.
struct WalkOptions {
  double most_seconds = std::numeric_limits<double>::infinity();  ///< answers above are of no interest
  bool keep_ties = false;  ///< of equal answers the first in the order of ties is kept, not just any
  std::size_t most_labels = 0;
  std::size_t most_per_node = 0;  ///< 0: all; else the most promising only, and the walk proves nothing
  std::int64_t peak_above = 0;    ///< answers whose activation peak is not above it need not be found
};

/// Bounds on what is still to come, per node.
struct Futures {
  PricedFutures dual;
  std::vector<double> least_distortion;
  std::vector<double> least_weight_bytes;
};
Futures futures_of(const StageGraph& graph, const Prices& prices, const Region& region);

struct WalkResult {
  bool complete = false;    ///< every answer within the options was looked at
  std::vector<Path> paths;  ///< the answers not dominated: by seconds, with ties in their order first
};

/// Walks the stages with all partial answers that no other one at the same node dominates in every sum, leaving out
/// what cannot end within the limits, the region and most_seconds by the bounds of the futures. Source of the method:
/// Beasley, Christofides, "An algorithm for the resource constrained shortest path problem", Networks 19 (1989);
/// Dumitrescu, Boland, Networks 42 (2003).
WalkResult walk(const StageGraph& graph, const Limits& limits, const Region& region, const Futures& futures,
                const WalkOptions& options, const std::stop_token& stop);

}  // namespace cleave::search::exact
