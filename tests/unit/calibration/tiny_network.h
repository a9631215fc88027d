#pragma once

#include "graph/builder.h"
#include "graph/graph.h"

namespace cleave::testing {

/// x 1x3x6x6 -> Conv 3x3 + Relu -> r 1x4x6x6 -> Conv 1x1 -> z 1x2x6x6. Weights depend on `seed`.
graph::Graph tiny_network(std::uint32_t seed = 1);

}  // namespace cleave::testing
