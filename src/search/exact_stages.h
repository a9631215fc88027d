#pragma once

#include <vector>

#include "search/solver.h"

namespace cleave::search::exact {

/// One decision of the schedule.
struct Stage {
  enum Kind { kStart, kUnit, kTensor } kind;
  int subject;
  int unit;          ///< that makes the tensor, or is placed; -1: network inputs
  bool closes_unit;  ///< the unit has run when this is decided
};

/// What a node's bytes stand for.
struct Layout {
  std::vector<int> units;    ///< with an input that is known, not placed yet
  std::vector<int> tensors;  ///< with uses to come
};

/// The network inputs, then for each unit its side and its outputs. Single-tensor pricing first asks whether anything
/// runs on the edge.
std::vector<Stage> plan_stages(const Problem& problem, Pricing pricing);

/// What is waited for when a stage is decided.
Layout layout_after(Layout layout, const Stage& stage, const Problem& problem, bool track_memory);

}  // namespace cleave::search::exact
