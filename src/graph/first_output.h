#pragma once

#include <algorithm>

#include "graph/graph.h"

namespace cleave::graph {

/// The first output of a node that is not left out.
inline TensorId first_output(const Node& node) {
  const auto made =
      std::find_if(node.outputs.begin(), node.outputs.end(), [](TensorId id) { return id != TensorId::kNone; });
  return made == node.outputs.end() ? TensorId::kNone : *made;
}

}  // namespace cleave::graph
