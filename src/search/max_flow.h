#pragma once

#include <vector>

namespace cleave::search {

/// Minimum cut between a source and a sink by Dinic's blocking flows, with real capacities.
/// Cost   O(nodes^2 arcs) at worst; milliseconds for a few hundred nodes.
class MaxFlow {
 public:
  explicit MaxFlow(int nodes) : heads_(static_cast<std::size_t>(nodes), -1) {}

  /// Adds an arc; capacity >= 0, kUnlimited for one that is never cut.
  void add_arc(int from, int to, double capacity);
  /// The flow value: never above the capacity of any cut, up to rounding.
  double solve(int source, int sink);
  /// After solve: nodes on the source's side of a minimum cut (the smallest such side).
  std::vector<bool> source_side(int source) const;

  static constexpr double kUnlimited = 1e30;

 private:
  struct Arc {
    int to;
    int next;  ///< next arc of the same node; -1 ends the list
    double left;
  };
  bool find_levels(int source, int sink);
  double push(int node, int sink, double most);

  std::vector<int> heads_;
  std::vector<Arc> arcs_;  ///< arc i and its reverse i ^ 1
  std::vector<int> levels_;
  std::vector<int> cursors_;
  double smallest_ = 0;  ///< residuals below are rounding
};

}  // namespace cleave::search
