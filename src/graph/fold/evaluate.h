#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/tensor.h"
#include "graph/graph.h"

namespace cleave::graph {

/// The value of a tensor if it is known before the network runs, else nullptr.
using ConstantLookup = std::function<const Tensor*(TensorId)>;

/// A folded tensor may have this many elements, or as many as the values it is made from.
inline constexpr std::int64_t kMostFoldedElements = std::int64_t{1} << 22;

/// What a node makes, in the order of its outputs, when all it reads is known; empty when it is not, when the
/// operator is not foldable, or when the result would be too large. Shape and Size need a known shape only.
/// Knows the attribute forms of older opsets (Squeeze, Unsqueeze, Slice, Split) as well.
/// Throws Error(kInvalidInput) naming the node when its attributes and inputs contradict each other.
std::optional<std::vector<Tensor>> evaluate(const Graph& graph, NodeId id, const ConstantLookup& lookup);

}  // namespace cleave::graph
