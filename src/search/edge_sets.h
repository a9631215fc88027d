#pragma once

#include <functional>
#include <vector>

#include "search/solver.h"

namespace cleave::search {

/// How a walk over all edge sets ended.
struct EdgeSetWalk {
  bool stopped = false;       ///< the visitor said so
  std::size_t placeable = 0;  ///< most leading units of the schedule that found a side together
};

/// Calls `visit` for every down-closed set of edge units that leaves no unit on a side where it cannot run and no
/// tensor without choices that must be decided or sent. Order: the first unit on the cloud first. `visit` returns
/// false to stop. Cost: exponential in the width of the network.
EdgeSetWalk for_each_edge_set(const Problem& problem, const std::function<bool(const std::vector<bool>&)>& visit);

/// Units that must be on the edge (they or what depends on them cannot run on the cloud), and that must be on the
/// cloud.
struct ForcedSides {
  std::vector<bool> edge;
  std::vector<bool> cloud;
};
ForcedSides forced_sides(const Problem& problem);

}  // namespace cleave::search
