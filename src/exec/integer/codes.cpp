#include "exec/integer/codes.h"

#include <algorithm>
#include <cmath>

#include "exec/kernels/kernel.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::Node;
using graph::TensorId;

bool is_code(DType dtype) {
  return dtype == DType::kUint8 || dtype == DType::kInt8;
}

/// A constant of one element, or `fallback` when the input is left out; nothing when it is no such constant.
std::optional<double> scalar_constant(const ConstantLookup& constant, TensorId id, double fallback) {
  if (id == TensorId::kNone) return fallback;
  const Tensor* value = constant(id);
  if (value == nullptr || value->elements() != 1) return std::nullopt;
  return scalar_of(view_of(*value));
}

/// The DequantizeLinear of a constant that makes a weight or bias, or nullptr.
const Node* dequantized_constant(const Graph& graph, TensorId id) {
  const auto producer = graph.producer(id);
  if (!producer || graph.node(*producer).op != "DequantizeLinear") return nullptr;
  const Node& node = graph.node(*producer);
  const bool constant = graph.constant(node.inputs[0]) != nullptr && graph.constant(node.inputs[1]) != nullptr;
  return constant && !node.has("block_size") ? &node : nullptr;
}

bool zero_or_absent(const Graph& graph, TensorId id) {
  if (id == TensorId::kNone) return true;
  const Tensor* value = graph.constant(id);
  return value != nullptr &&
         std::all_of(value->raw().begin(), value->raw().end(), [](std::byte b) { return b == std::byte{0}; });
}

std::size_t axis_of(const Node& dequantize, std::size_t rank) {
  return axis_index(dequantize.integer("axis", 1), rank);
}

bool fits_seven_bits(const Tensor& codes) {
  const auto values = codes.data<std::int8_t>();
  return std::all_of(values.begin(), values.end(), [](std::int8_t v) { return v >= -64 && v <= 64; });
}

/// One scale for all, or one for each slice of the axis.
bool scales_fit(const Tensor& scale, const Shape& shape, std::size_t axis) {
  if (scale.dtype() != DType::kFloat32) return false;
  if (scale.elements() == 1) return true;
  return scale.shape().size() == 1 && axis < shape.size() && scale.elements() == shape[axis];
}

}  // namespace

std::optional<CodeGrid> grid_of_parameters(const ConstantLookup& constant, TensorId scale_id, TensorId zero_point_id,
                                           DType dtype) {
  if (!is_code(dtype)) return std::nullopt;
  const auto scale = scalar_constant(constant, scale_id, 1);
  const auto zero = scalar_constant(constant, zero_point_id, 0);
  if (!scale || !zero || !(*scale > 0)) return std::nullopt;
  const bool is_signed = dtype == DType::kInt8;
  return CodeGrid{dtype, static_cast<float>(*scale), static_cast<std::int32_t>(*zero), is_signed ? -128 : 0,
                  is_signed ? 127 : 255};
}

std::int32_t CodeGrid::code(float x) const {
  const double rounded = std::nearbyint(static_cast<double>(x / scale));
  const double low_step = low - zero_point;
  const double high_step = high - zero_point;
  if (!(rounded > low_step)) return low;
  return static_cast<std::int32_t>(std::min(rounded, high_step)) + zero_point;
}

std::optional<CodeGrid> grid_of_quantize(const Graph& graph, const ConstantLookup& constant, const Node& quantize,
                                         const Node* clip) {
  auto grid =
      grid_of_parameters(constant, quantize.input(1), quantize.input(2), graph.tensor(quantize.outputs[0]).dtype);
  if (!grid || clip == nullptr) return grid;
  const auto low = scalar_constant(constant, clip->input(1), grid->low);
  const auto high = scalar_constant(constant, clip->input(2), grid->high);
  if (!low || !high || *low > *high) return std::nullopt;
  grid->low = std::max(grid->low, static_cast<std::int32_t>(*low));
  grid->high = std::min(grid->high, static_cast<std::int32_t>(*high));
  return grid;
}

std::optional<CodeGrid> grid_of_dequantize(const Graph& graph, const ConstantLookup& constant, const Node& dequantize) {
  if (dequantize.has("block_size") || graph.constant(dequantize.inputs[0]) != nullptr) return std::nullopt;
  return grid_of_parameters(constant, dequantize.input(1), dequantize.input(2),
                            graph.tensor(dequantize.inputs[0]).dtype);
}

std::optional<WeightCodes> weight_codes_of(const Graph& graph, TensorId codes_id, TensorId scale_id,
                                           TensorId zero_point_id, std::size_t axis) {
  const Tensor* codes = graph.constant(codes_id);
  const Tensor* scale = graph.constant(scale_id);
  if (codes == nullptr || scale == nullptr || codes->dtype() != DType::kInt8) return std::nullopt;
  if (!zero_or_absent(graph, zero_point_id) || !scales_fit(*scale, codes->shape(), axis)) return std::nullopt;
  const auto scales = scale->data<float>();
  return WeightCodes{codes, {scales.begin(), scales.end()}, fits_seven_bits(*codes)};
}

std::optional<WeightCodes> weight_codes_of(const Graph& graph, TensorId weight, std::size_t axis) {
  const Node* node = weight == TensorId::kNone ? nullptr : dequantized_constant(graph, weight);
  if (node == nullptr) return std::nullopt;
  const bool per_slice = graph.constant(node->inputs[1])->elements() != 1;
  if (per_slice && axis_of(*node, graph.tensor(weight).shape.size()) != axis) return std::nullopt;
  return weight_codes_of(graph, node->inputs[0], node->inputs[1], node->input(2), axis);
}

const Tensor* bias_codes_of(const Graph& graph, TensorId bias, float input_scale, const WeightCodes& weights) {
  if (bias == TensorId::kNone) return nullptr;
  if (graph.tensor(bias).dtype == DType::kInt32) return graph.constant(bias);
  const Node* node = dequantized_constant(graph, bias);
  if (node == nullptr || !zero_or_absent(graph, node->input(2))) return nullptr;
  const Tensor* codes = graph.constant(node->inputs[0]);
  const Tensor& scale = *graph.constant(node->inputs[1]);
  if (codes->dtype() != DType::kInt32 || scale.dtype() != DType::kFloat32) return nullptr;
  const auto scales = scale.data<float>();
  const auto channels = std::max(scales.size(), weights.scales.size());
  if (codes->elements() != static_cast<std::int64_t>(channels) && channels != 1) return nullptr;
  for (std::size_t c = 0; c < channels; ++c) {
    const float wanted = input_scale * weights.scales[weights.scales.size() == 1 ? 0 : c];
    const float given = scales[scales.size() == 1 ? 0 : c];
    if (std::abs(given - wanted) > 1e-6F * wanted) return nullptr;
  }
  return codes;
}

}  // namespace cleave::exec
