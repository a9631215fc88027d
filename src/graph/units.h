#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"

namespace cleave::graph {

/// Groups the nodes of a graph into units, in topological order; every node is in exactly one.
///
/// Conv, ConvTranspose, Gemm, MatMul (then Add of a constant), Add, Mul, BatchNormalization take in the activation
/// that follows: Relu, LeakyRelu, PRelu, Clip, Sigmoid, Tanh, HardSwish, HardSigmoid, Elu, or x*Sigmoid(x) and
/// x*HardSigmoid(x) spelled as nodes. Fires only where the tensor in between is seen by nobody else. A node all of
/// whose inputs are constants joins nothing.
/// `graph` needs nodes, producers and consumers only; MACs are 0 where shapes are unknown.
std::vector<Unit> group_units(const Graph& graph);

/// Multiply-accumulates of one node from its shapes: Conv (any rank, grouped), ConvTranspose, Gemm, MatMul; else 0.
std::int64_t node_macs(const Graph& graph, NodeId id);

/// The tensor whose values a unit hands on, if that is all it does: MaxPool, Reshape, Flatten, Transpose, Squeeze,
/// Unsqueeze, Slice, Split, DepthToSpace, Identity alone. Its output lies on whatever grid that tensor lies on.
std::optional<TensorId> moved_tensor(const Graph& graph, const Unit& unit);

/// How much less than zero counts behind a unit's sum: the product of the slopes of its LeakyRelu nodes; 1 without one.
float negative_slope(const Graph& graph, const Unit& unit);

}  // namespace cleave::graph
