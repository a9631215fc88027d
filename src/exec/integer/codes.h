#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/tensor.h"
#include "graph/graph.h"

namespace cleave::exec {

/// What an 8-bit code stands for: x = (code - zero_point) * scale, code in [low, high].
struct CodeGrid {
  DType dtype = DType::kUint8;  ///< uint8 or int8
  float scale = 1;
  std::int32_t zero_point = 0;
  std::int32_t low = 0;
  std::int32_t high = 255;

  /// One scale and zero point: codes of one are codes of the other, as far as they lie in both ranges.
  bool same_values(const CodeGrid& other) const {
    return dtype == other.dtype && scale == other.scale && zero_point == other.zero_point;
  }
  /// Every code of `other` is one of this grid's.
  bool holds(const CodeGrid& other) const { return same_values(other) && low <= other.low && other.high <= high; }
  float value(std::int32_t code) const { return static_cast<float>(code - zero_point) * scale; }
  /// clamp(rne(x / scale) + zero_point, low, high); NaN gives low.
  std::int32_t code(float x) const;
};

/// A float tensor known by the codes in another tensor.
struct CodedTensor {
  graph::TensorId codes = graph::TensorId::kNone;
  CodeGrid grid;
};

/// Value of a constant, or nullptr.
using ConstantLookup = std::function<const Tensor*(graph::TensorId)>;

/// Grid of a QuantizeLinear with constant scalar parameters and 8-bit codes, narrowed by a Clip on the codes (may be
/// nullptr); nothing for other kinds.
std::optional<CodeGrid> grid_of_quantize(const graph::Graph& graph, const ConstantLookup& constant,
                                         const graph::Node& quantize, const graph::Node* clip);

/// Grid with a constant scale and zero point of one element each, over all codes of `dtype`; nothing otherwise.
std::optional<CodeGrid> grid_of_parameters(const ConstantLookup& constant, graph::TensorId scale,
                                           graph::TensorId zero_point, DType dtype);

/// Grid of a DequantizeLinear of the same kind, full range.
std::optional<CodeGrid> grid_of_dequantize(const graph::Graph& graph, const ConstantLookup& constant,
                                           const graph::Node& dequantize);

/// Weights as int8 codes: w = code * scales[slice along the channel axis].
struct WeightCodes {
  Tensor codes;
  std::vector<float> scales;     ///< one per channel, or one for all
  bool fits_seven_bits = false;  ///< every |code| <= 64
};

/// The tensors that make weights of codes: w = (code - zero point) * scale.
struct WeightParameters {
  graph::TensorId codes = graph::TensorId::kNone;
  graph::TensorId scale = graph::TensorId::kNone;
  graph::TensorId zero_point = graph::TensorId::kNone;  ///< kNone: 0
};

/// The codes behind a constant weight made by DequantizeLinear; otherwise as below.
std::optional<WeightCodes> weight_codes_of(const graph::Graph& graph, const ConstantLookup& constant,
                                           graph::TensorId weight, std::size_t axis);

/// Constant 4- or 8-bit codes with constant scales and zero points, per tensor or per slice of `axis`, less their zero
/// points; nothing when one does not fit int8 then.
std::optional<WeightCodes> weight_codes_of(const ConstantLookup& constant, const WeightParameters& parameters,
                                           std::size_t axis);

/// The int32 codes of a bias: the bias itself when it is int32 (QLinearConv), or what is dequantized with scales
/// input_scale * weight scale (to 1e-6 relative); nullptr otherwise.
const Tensor* bias_codes_of(const graph::Graph& graph, const ConstantLookup& constant, graph::TensorId bias,
                            float input_scale, const WeightCodes& weights);

}  // namespace cleave::exec
