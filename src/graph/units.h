#pragma once

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

}  // namespace cleave::graph
