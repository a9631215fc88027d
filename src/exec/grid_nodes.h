#pragma once

#include <string>
#include <vector>

#include "graph/builder.h"
#include "quant/quantizer.h"

namespace cleave::exec {

// Nodes that round a float32 tensor, in standard operators of opset 13. Each returns the rounded tensor, float32 again
// and named `value`.

/// x -> QuantizeLinear (uint8) -> [Clip on the codes, below 8 bits] -> DequantizeLinear. `codes` names the codes.
graph::TensorId add_quantizer(graph::GraphBuilder& builder, graph::TensorId x, const quant::AffineQuantizer& quantizer,
                              const std::string& codes, const std::string& value);

/// clamp(rne(x / step), -32767, 32767) * step as Div, Round, Clip, Mul: the symmetric 16-bit grid. (QuantizeLinear
/// knows int16 from opset 21 only; the values are the same.)
graph::TensorId add_wide_quantizer(graph::GraphBuilder& builder, graph::TensorId x, float step,
                                   const std::string& value);

/// x -> Cast to float16 -> Cast to float32.
graph::TensorId add_half_rounding(graph::GraphBuilder& builder, graph::TensorId x, const std::string& value);

/// Constant codes -> DequantizeLinear with zero point 0 and one scale per slice of `axis`.
graph::TensorId add_dequantized(graph::GraphBuilder& builder, const Tensor& codes, const std::vector<float>& scales,
                                int axis, const std::string& value);

/// The tensor of that name, with the shape of `model` and this element type.
graph::TensorId tensor_like(graph::GraphBuilder& builder, graph::TensorId model, const std::string& name, DType dtype);

}  // namespace cleave::exec
