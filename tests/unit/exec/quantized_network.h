#pragma once

#include "graph/graph.h"

namespace cleave::exec::testing {

/// A network with every activation and weight quantized to the range that one random input shows.
struct QuantizedNetwork {
  graph::Graph graph;
  Tensor input;
};

/// For networks with one float input.
QuantizedNetwork quantize(const graph::Graph& graph, int bits = 8);

}  // namespace cleave::exec::testing
