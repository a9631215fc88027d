#pragma once

#include <optional>
#include <vector>

#include "search/max_flow.h"
#include "search/problem.h"

namespace cleave::search {

/// Seconds of every unit on either side and of every tensor that crosses; kForbidden (or more) where it must not.
struct CutCosts {
  std::vector<double> edge_s;   ///< per unit
  std::vector<double> cloud_s;  ///< per unit
  std::vector<double> wire_s;   ///< per tensor; however many cloud units consume it
  double round_trip_s = 0;      ///< once, when a unit that depends on a network input is on the cloud

  static constexpr double kForbidden = MaxFlow::kUnlimited;
};

/// Units whose side is open: those before `first` are on the edge, those from `last` on, on the cloud.
struct UnitRange {
  int first = 0;
  int last = 0;
};

/// A down-closed set of edge units and its cost.
struct EdgeCut {
  double seconds = 0;
  std::vector<bool> on_edge;
};

/// The down-closed set of edge units E of least cost, as a minimum cut (Hu et al., "Dynamic adaptive DNN surgery",
/// INFOCOM 2019, with one auxiliary node per tensor so that each crosses once):
///
///     min_E  sum_{u in E} edge_s(u) + sum_{u not in E} cloud_s(u) + sum_{t crosses} wire_s(t)
///            + round_trip_s [something behind an input is on the cloud] + download [a result is made there and wanted
///            on the edge]
///
/// The seconds are a lower bound of every set's cost, short of the least by the quanta of MaxFlow; among sets of least
/// cost it is the smallest. Empty when every set is forbidden.
/// Cost   one maximum flow over the open units and their tensors.
std::optional<EdgeCut> least_edge_cut(const Problem& problem, const CutCosts& costs, const UnitRange& open);

/// The parts of the schedule between units that everything passes (QDMP's cut vertices: no tensor is made before such a
/// unit and used after it). A down-closed set holds all before one part and nothing after it.
std::vector<UnitRange> cut_blocks(const Problem& problem);

}  // namespace cleave::search
