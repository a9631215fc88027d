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
  std::map<std::string, Tensor>
      biases;                  ///< optional, by unit name: [channels], in place of the unit's own bias (or none)
  bool results_cross = false;  ///< network outputs made on the edge are read behind the wire: b(t), not a(t)
};

/// Names that the rewrite gives to the tensors it adds.
std::string codes_name(const std::string& tensor);       ///< a(t)'s codes, uint8
std::string wire_codes_name(const std::string& tensor);  ///< b(t)'s codes, uint8

/// The whole network with the edge part fake-quantized, in standard operators of opset 13: it can be run here, written
/// as ONNX, or cut into the edge part.
///
///     t -> QuantizeLinear (uint8) -> [Clip on the codes, below 8 bits] -> DequantizeLinear -> edge readers of t
///                                                                             |
///                                          the same with b(t), if quantized   +-> cloud readers of t
///
/// - t keeps its name where it is float. A tensor made on the edge that is a network output, or that crosses at 32 bits
///   behind a decided a(t), is dequantized under its own name; its float value is then called "<t>::float".
///   A network input at 32 bits crosses as it came in.
/// - Weights are int8 codes -> DequantizeLinear (per channel). Biases of Conv and Gemm are int32 codes at
///   scale(input) * scale(weight) when both are quantized; they stay float where a code would not fit.
/// - A Relu or Clip in front of a quantizer whose range it does not narrow is left out: saturation does the same, code
///   by code, and runtimes fuse the rest into one integer kernel.
///
/// Every tensor of the result has type and shape.
/// Throws Error(kInvalidInput) for a name that the graph does not have, a tensor that is not float32, or bits from 9
/// to 31.
graph::Graph fake_quantize(const graph::Graph& graph, const QuantizationSpec& spec);

}  // namespace cleave::exec
