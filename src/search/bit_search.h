#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "search/edge_part.h"

namespace cleave::search {

/// What is to be made small.
enum class Goal { kLatency, kWeightBytes, kActivationBytes, kEdgeMemory, kDistortion };
double goal_value(Goal goal, const Evaluation& evaluation);

/// Depth-first search over all bits of a fixed set of edge units. A branch is left only when a sum of parts that are
/// decided and least values of the rest already breaks a limit or passes the ceiling; full choices are always
/// evaluated from scratch.
class BitSearch {
 public:
  /// `limits` may be looser than the problem's. `stop` is asked now and then.
  BitSearch(const Problem& problem, const EdgePart& part, const Limits& limits, const std::function<bool()>& stop);
  ~BitSearch();

  struct Found {
    double value = 0;
    Choice choice;
    Evaluation evaluation;
  };
  /// The least goal within the limits (to 2e-13 of its value) that is below `ceiling`, if any.
  std::optional<Found> least(Goal goal, double ceiling);
  /// The first choice whose latency is at most `ceiling`, in the order of ties: weight, then activation, then wire
  /// bits, each in schedule order, fewer bits first.
  std::optional<Found> first_within(double ceiling);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Number of choices for these edge units; a double, because it overflows.
double choice_count(const Problem& problem, const EdgePart& part);

}  // namespace cleave::search
