#pragma once

#include <optional>
#include <vector>

#include "exec/fake_quantize.h"
#include "graph/builder.h"
#include "graph/graph.h"

namespace cleave::exec {

/// True when a unit computes x W + b with one b per output channel: Conv, ConvTranspose, Gemm without factors.
bool takes_bias(const graph::Graph& graph, const graph::Unit& unit);
/// Gives such a unit another bias, [channels].
void set_bias(graph::GraphBuilder& builder, const graph::Unit& unit, const Tensor& bias);
/// The bias that a unit has under `spec`: the one given there, else its own constant, else nullptr.
const Tensor* bias_of(const graph::Graph& graph, const graph::Unit& unit, const QuantizationSpec& spec);

/// A bias on the grid of its convolution's sums, as integer kernels add it.
struct CodedBias {
  Tensor codes;               ///< int32, [channels]
  std::vector<float> scales;  ///< scale(input) * scale(weight), per channel

  Tensor value() const;  ///< codes * scales
};
/// rne(b / scale), where inputs and weights of a Conv or Gemm are quantized; empty elsewhere and where a code would
/// not fit int32.
std::optional<CodedBias> coded_bias(const graph::Graph& graph, const graph::Unit& unit, const QuantizationSpec& spec);

}  // namespace cleave::exec
