#include "exec/integer/codes.h"

#include <algorithm>
#include <cmath>

#include "exec/kernels/kernel.h"
#include "exec/kernels/nibbles.h"

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

bool zero_or_absent(const ConstantLookup& constant, TensorId id) {
  if (id == TensorId::kNone) return true;
  const Tensor* value = constant(id);
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

/// One for all, or one for each slice of the axis.
bool slices_fit(const Tensor& parameter, const Shape& shape, std::size_t axis) {
  if (parameter.elements() == 1) return true;
  return parameter.shape().size() == 1 && axis < shape.size() && parameter.elements() == shape[axis];
}

/// The elements of 4- or 8-bit codes; empty for other types.
std::vector<std::int16_t> widened(const Tensor& codes) {
  const auto copy = [](const auto& values) { return std::vector<std::int16_t>(values.begin(), values.end()); };
  if (codes.dtype() == DType::kInt8) return copy(codes.data<std::int8_t>());
  if (codes.dtype() == DType::kUint8) return copy(codes.data<std::uint8_t>());
  if (codes.dtype() == DType::kInt4) return copy(unpack_nibbles<std::int8_t>(codes.raw().data(), codes.elements()));
  if (codes.dtype() == DType::kUint4) return copy(unpack_nibbles<std::uint8_t>(codes.raw().data(), codes.elements()));
  return {};
}

/// Codes less their zero points (of the same type, one for all or one per slice of the axis) as int8; nothing when one
/// does not fit.
std::optional<Tensor> less_zero_points(const Tensor& codes, const Tensor& zero_points, std::size_t axis) {
  const std::vector<std::int16_t> from = widened(codes);
  const std::vector<std::int16_t> zeros = widened(zero_points);
  if (from.empty() || zeros.empty()) return std::nullopt;
  std::int64_t inner = 1;
  for (std::size_t i = axis + 1; i < codes.shape().size(); ++i) inner *= codes.shape()[i];
  Tensor result(DType::kInt8, codes.shape());
  const auto to = result.mutable_data<std::int8_t>();
  for (std::size_t i = 0; i < from.size(); ++i) {
    const int code = from[i] - zeros[i / static_cast<std::size_t>(inner) % zeros.size()];
    if (code < -128 || code > 127) return std::nullopt;
    to[i] = static_cast<std::int8_t>(code);
  }
  return result;
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

std::optional<WeightCodes> weight_codes_of(const ConstantLookup& constant, const WeightParameters& parameters,
                                           std::size_t axis) {
  const Tensor* codes = constant(parameters.codes);
  const Tensor* scale = constant(parameters.scale);
  if (codes == nullptr || scale == nullptr || scale->dtype() != DType::kFloat32) return std::nullopt;
  if (!slices_fit(*scale, codes->shape(), axis)) return std::nullopt;
  const auto scales = scale->data<float>();
  WeightCodes weights{*codes, {scales.begin(), scales.end()}, false};
  if (codes->dtype() != DType::kInt8 || !zero_or_absent(constant, parameters.zero_point)) {
    const bool none = parameters.zero_point == TensorId::kNone;
    const Tensor zero = Tensor::scalar(std::int8_t{0});
    const Tensor* zero_points = none ? &zero : constant(parameters.zero_point);
    if (zero_points == nullptr || !slices_fit(*zero_points, codes->shape(), axis)) return std::nullopt;
    auto centred = less_zero_points(*codes, *zero_points, axis);
    if (!centred) return std::nullopt;
    weights.codes = std::move(*centred);
  }
  weights.fits_seven_bits = fits_seven_bits(weights.codes);
  return weights;
}

std::optional<WeightCodes> weight_codes_of(const Graph& graph, const ConstantLookup& constant, TensorId weight,
                                           std::size_t axis) {
  const Node* node = weight == TensorId::kNone ? nullptr : dequantized_constant(graph, weight);
  if (node == nullptr) return std::nullopt;
  const bool per_slice = graph.constant(node->inputs[1])->elements() != 1;
  if (per_slice && axis_of(*node, graph.tensor(weight).shape.size()) != axis) return std::nullopt;
  return weight_codes_of(constant, {node->inputs[0], node->inputs[1], node->input(2)}, axis);
}

const Tensor* bias_codes_of(const Graph& graph, const ConstantLookup& constant, TensorId bias, float input_scale,
                            const WeightCodes& weights) {
  if (bias == TensorId::kNone) return nullptr;
  if (graph.tensor(bias).dtype == DType::kInt32) return constant(bias);
  const Node* node = dequantized_constant(graph, bias);
  if (node == nullptr || !zero_or_absent(constant, node->input(2))) return nullptr;
  const Tensor* codes = constant(node->inputs[0]);
  const Tensor& scale = *constant(node->inputs[1]);
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
