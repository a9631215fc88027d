#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"
#include "exec/rounding.h"
#include "graph/graph.h"

namespace cleave::tune::testing {

/// x 1x3x8x8 -> conv1 3x3 + Relu (8) -> depthwise 3x3 + Relu -> 1x1 -> + skip -> Relu -> global mean -> Gemm (5).
/// Units: conv1, dw, pw, add, pool, flatten, fc. Weights depend on the seed.
graph::Graph small_residual(std::uint32_t seed = 1);

/// `count` samples for it, values in [-1, 1).
std::vector<Tensor> small_samples(std::size_t count, std::uint32_t seed = 2);

/// All of a graph on the edge: weights at `weight_bits` (absolute maximum), every activation at `activation_bits` over
/// the range that the samples take.
exec::QuantizationSpec plain_spec(const graph::Graph& graph, const std::vector<Tensor>& samples, int weight_bits,
                                  int activation_bits);

}  // namespace cleave::tune::testing
