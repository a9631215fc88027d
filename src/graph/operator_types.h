#pragma once

#include <optional>
#include <string>

#include "graph/graph.h"

namespace cleave::graph {

/// Why the element types of a node's inputs do not go together by ONNX's definition of its operator: a type that an
/// input behind the first cannot have, or two that must be equal and are not. Empty where they do, and where the
/// installed libonnx does not know the operator at the graph's opset.
std::optional<std::string> contradicting_types(const Graph& graph, const Node& node);

}  // namespace cleave::graph
