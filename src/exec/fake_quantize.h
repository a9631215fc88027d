#pragma once

#include <map>
#include <set>
#include <string>

#include "graph/cut.h"
#include "graph/graph.h"
#include "quant/quantizer.h"

namespace cleave::exec {

/// Which tensors are rounded to which grids. Tensors not named stay float.
struct QuantizationSpec {
  graph::Cut edge;  ///< units on the edge: only they read and write quantized activations
  std::map<std::string, quant::AffineQuantizer> activations;  ///< a(t): as edge units see t
  std::map<std::string, quant::AffineQuantizer> wire;         ///< b(t): as cloud units see a crossing t (after a(t))
  std::map<std::string, quant::WeightQuantizer> weights;      ///< by edge unit name
  std::map<std::string, Tensor> weight_codes;  ///< optional, by unit name: given codes instead of plain rounding
};

/// Names that the rewrite gives to the tensors it adds.
std::string codes_name(const std::string& tensor);       ///< a(t)'s codes, uint8
std::string wire_codes_name(const std::string& tensor);  ///< b(t)'s codes, uint8

/// The whole network with the edge part fake-quantized: QuantizeLinear (uint8) -> Clip on the codes below 8 bits ->
/// DequantizeLinear behind each decided activation; weights as int8 codes -> DequantizeLinear (per channel);
/// crossing tensors requantized for their cloud consumers. Standard operators of opset 13, so the graph can be run
/// here, written as ONNX, or cut into the edge part. Biases of Conv/Gemm become int32 codes at
/// scale(input) * scale(weight) when both are quantized to at most 8 bits.
/// Every tensor of the result has type and shape.
graph::Graph fake_quantize(const graph::Graph& graph, const QuantizationSpec& spec);

}  // namespace cleave::exec
