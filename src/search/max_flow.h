#pragma once

#include <vector>

namespace cleave::search {

/// Minimum cut between a source and a sink (Boykov and Kolmogorov, PAMI 2004, from Boost.Graph), with real capacities.
///
/// Floating-point flows leave residuals that are rounding, so capacities are counted in whole quanta,
///
///     quanta(c) = floor(c / quantum)       quantum = 2^k, the smallest with  sum of finite capacities / 2^k < 2^60
///
/// Both steps are exact, and every cut is rounded down: the flow is a proven lower bound of each cut's capacity, below
/// the least one by less than (its arcs) quanta.
class MaxFlow {
 public:
  explicit MaxFlow(int nodes) : nodes_(nodes) {}

  /// Adds an arc; capacity >= 0, kUnlimited (or more) for one that is never cut.
  void add_arc(int from, int to, double capacity);
  /// The flow value: never above the capacity of any cut; kUnlimited when every cut has an unlimited arc.
  /// Cost   milliseconds for a thousand nodes.
  double solve(int source, int sink);
  /// After solve: per node, whether it is on the source's side of a minimum cut (the smallest such side).
  const std::vector<bool>& source_side() const { return source_side_; }

  static constexpr double kUnlimited = 1e30;

 private:
  struct Arc {
    int from;
    int to;
    double capacity;
  };

  int nodes_;
  std::vector<Arc> arcs_;
  std::vector<bool> source_side_;
};

}  // namespace cleave::search
