#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"

namespace cleave::exec {

/// For measuring: a tensor of the info's type and shape: float32 uniform in [-1, 1), other types 0..255 (bool: 0 or 1)
/// by seed.
Tensor noise(const graph::TensorInfo& info, std::uint32_t seed);

/// One for each input of the network.
std::vector<Tensor> noise_inputs(const graph::Graph& graph, std::uint32_t seed);

}  // namespace cleave::exec
