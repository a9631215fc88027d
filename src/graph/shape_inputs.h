#pragma once

#include <cstddef>
#include <vector>

#include "graph/graph.h"

namespace cleave::graph {

/// The inputs of an ONNX operator (opset 18) whose values, not shapes, decide how large the result is: Reshape's
/// second, Slice's borders, ...
struct ShapeInputs {
  std::vector<std::size_t> positions;  // among the node's inputs, counted from zero
  bool kernel_checks = false;          // the kernel holds what they ask for against the planned result
};

/// Those of the node's operator; no positions where there are none.
const ShapeInputs& shape_inputs(const Node& node);

}  // namespace cleave::graph
