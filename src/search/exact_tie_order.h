#pragma once

#include <cstdint>
#include <vector>

#include "search/exact_graph.h"

namespace cleave::search::exact {

/// A partial answer: its sums, and how it came about.
struct Label {
  double seconds = 0;
  double distortion = 0;
  std::int64_t weight_bytes = 0;
  std::int64_t held_bytes = 0;
  std::int64_t peak_bytes = 0;
  std::size_t parent = 0;  ///< in the arena; 0 is the source
  std::size_t step = 0;
  int offer = -1;
};

/// The answers of two labels of one stage in the order of ties: fewer edge units, the smaller positions, then fewer
/// weight, activation and wire bits, each in schedule order.
class TieOrder {
 public:
  /// Labels know their parents by position in `arena`.
  TieOrder(const StageGraph& graph, const std::vector<Label>& arena) : graph_(graph), arena_(arena) {}

  /// Negative: a comes first; 0: the same answer. Cost: the stages back to where they were last the same.
  int compare(const Label& a, const Label& b) const;

 private:
  struct Difference;
  void look_at(const Label& a, const Label& b, Difference& difference) const;
  int option_of(const Label& label, const Step& step) const;

  const StageGraph& graph_;
  const std::vector<Label>& arena_;
};

}  // namespace cleave::search::exact
