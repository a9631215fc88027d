#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace cleave::exec {

/// A graph taken apart by what can be compiled before it runs.
///
///     inputs ──▶ head (shapes known) ──▶ dynamic nodes, each by itself ──▶ tail (compiled when their results are
///     there)
///
/// Parts hand tensors on by name. The tail may need stages of its own.
struct FirstStage {
  std::optional<graph::Graph> head;    ///< empty: nothing to run before the dynamic nodes
  std::vector<graph::NodeId> dynamic;  ///< nodes of the whole graph that read inputs, constants and the head only
  std::optional<graph::Graph> tail;    ///< empty: nothing is left
};

FirstStage take_first_stage(const graph::Graph& graph);

}  // namespace cleave::exec
