#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace cleave::cost {

/// Element operations of one node without MACs:
///   pooling            output elements * window
///   global pooling, reductions, ArgMax/ArgMin   input elements
///   Resize             output elements * taps (nearest 1, linear 2, cubic 4 per resized dimension)
///   Softmax, normalisation over the data itself 3 * output elements (two sweeps to measure, one to apply)
///   LRN                output elements * size
///   moving data        0
///   everything else    output elements
/// Throws Error(kUnsupported) for counts beyond 64 bits.
std::int64_t vector_ops(const graph::Graph& graph, graph::NodeId id);

}  // namespace cleave::cost
