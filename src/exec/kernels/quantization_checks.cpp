#include "exec/kernels/input_checks.h"
#include "exec/kernels/layout.h"
#include "exec/kernels/support_checks.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::Node;
using graph::TensorId;
using graph::TensorInfo;

bool is_byte(DType dtype) {
  return dtype == DType::kUint8 || dtype == DType::kInt8;
}

bool is_code(DType dtype) {
  return is_byte(dtype) || is_packed(dtype) || dtype == DType::kUint16 || dtype == DType::kInt16;
}

/// Shape of a scale that has one value per block along the axis.
Shape blocked_shape(Shape shape, std::size_t axis, std::int64_t block) {
  shape[axis] = (shape[axis] + block - 1) / block;
  return shape;
}

/// One value for all, one per index of the axis, or one per block.
Reason check_parameter(const TensorInfo& tensor, const Node& node, const Shape& data) {
  const std::int64_t block = node.integer("block_size", 0);
  if (block < 0) return "block_size " + std::to_string(block) + " is not supported";
  const bool single = element_count(tensor.shape) == 1;
  if (single && block == 0) return std::nullopt;
  const std::int64_t axis = node.integer("axis", 1);
  const auto rank = static_cast<std::int64_t>(data.size());
  if (axis < -rank || axis >= rank) return "axis " + std::to_string(axis) + " is outside the input";
  const std::size_t at = axis_index(axis, data.size());
  const Shape wanted = block == 0 ? Shape{data[at]} : blocked_shape(data, at, block);
  if (tensor.shape == wanted) return std::nullopt;
  return "'" + tensor.name + "' has the shape " + shape_text(tensor.shape) + ", not " + shape_text(wanted);
}

/// What a group of scale and zero point goes with: codes of one type, one value for all or `many` values.
struct Parameters {
  TensorId scale = TensorId::kNone;  ///< kNone: there are no scales
  TensorId zero_point = TensorId::kNone;
  TensorId codes = TensorId::kNone;
  std::int64_t many = 1;
};

Reason check_size(const TensorInfo& tensor, std::int64_t many) {
  const std::int64_t count = element_count(tensor.shape);
  const bool fits = count == 1 || (tensor.shape.size() == 1 && count == many);
  if (fits) return std::nullopt;
  return "shape " + shape_text(tensor.shape) + " of '" + tensor.name + "' is not supported";
}

Reason check_parameters(const Graph& graph, const Parameters& p) {
  const TensorInfo& codes = graph.tensor(p.codes);
  if (!is_byte(codes.dtype)) return wrong_type(codes);
  if (p.scale != TensorId::kNone) {
    const TensorInfo& scale = graph.tensor(p.scale);
    if (scale.dtype != DType::kFloat32) return wrong_type(scale);
    if (const Reason reason = check_size(scale, p.many)) return reason;
  }
  if (p.zero_point == TensorId::kNone) return std::nullopt;
  const TensorInfo& zero_point = graph.tensor(p.zero_point);
  if (zero_point.dtype != codes.dtype) return wrong_type(zero_point);
  return check_size(zero_point, p.many);
}

std::int64_t rows_of(const Shape& shape) {
  return shape.size() < 2 ? 1 : shape[shape.size() - 2];
}

std::int64_t columns_of(const Shape& shape) {
  return shape.size() < 2 ? 1 : shape.back();
}

}  // namespace

Reason check_quantize(const Graph& graph, const Node& node) {
  const bool quantizes = node.op == "QuantizeLinear";
  const TensorInfo& codes = graph.tensor(quantizes ? node.outputs[0] : node.inputs[0]);
  const TensorInfo& numbers = graph.tensor(quantizes ? node.inputs[0] : node.outputs[0]);
  const TensorInfo& scale = graph.tensor(node.inputs[1]);
  const bool sums = !quantizes && codes.dtype == DType::kInt32;
  if (!is_code(codes.dtype) && !sums) return wrong_type(codes);
  if (numbers.dtype != DType::kFloat32 && !(quantizes && numbers.dtype == DType::kInt32)) return wrong_type(numbers);
  if (scale.dtype != DType::kFloat32) return wrong_type(scale);
  if (const Reason reason = check_parameter(scale, node, numbers.shape)) return reason;
  if (node.input(2) == TensorId::kNone) return std::nullopt;
  const TensorInfo& zero_point = graph.tensor(node.input(2));
  if (zero_point.dtype != codes.dtype) return wrong_type(zero_point);
  if (zero_point.shape == scale.shape) return std::nullopt;
  const bool both_single = element_count(zero_point.shape) == 1 && element_count(scale.shape) == 1;
  if (both_single) return std::nullopt;
  return "'" + zero_point.name + "' and '" + scale.name + "' differ in shape";
}

Reason check_conv_integer(const Graph& graph, const Node& node) {
  return first_of(
      {check_convolution(graph, node), check_parameters(graph, {TensorId::kNone, node.input(2), node.inputs[0], 1}),
       check_parameters(graph,
                        {TensorId::kNone, node.input(3), node.inputs[1], graph.tensor(node.inputs[1]).shape[0]})});
}

Reason check_matmul_integer(const Graph& graph, const Node& node) {
  const std::int64_t rows = rows_of(graph.tensor(node.inputs[0]).shape);
  const std::int64_t columns = columns_of(graph.tensor(node.inputs[1]).shape);
  return first_of({check_parameters(graph, {TensorId::kNone, node.input(2), node.inputs[0], rows}),
                   check_parameters(graph, {TensorId::kNone, node.input(3), node.inputs[1], columns})});
}

Reason check_qlinear_conv(const Graph& graph, const Node& node) {
  const std::int64_t channels = graph.tensor(node.inputs[3]).shape[0];
  return first_of({check_convolution(graph, node),
                   check_parameters(graph, {node.inputs[1], node.inputs[2], node.inputs[0], 1}),
                   check_parameters(graph, {node.inputs[4], node.inputs[5], node.inputs[3], channels}),
                   check_parameters(graph, {node.inputs[6], node.inputs[7], node.outputs[0], 1})});
}

Reason check_qlinear_matmul(const Graph& graph, const Node& node) {
  const std::int64_t rows = rows_of(graph.tensor(node.inputs[0]).shape);
  const std::int64_t columns = columns_of(graph.tensor(node.inputs[3]).shape);
  return first_of({check_parameters(graph, {node.inputs[1], node.inputs[2], node.inputs[0], rows}),
                   check_parameters(graph, {node.inputs[4], node.inputs[5], node.inputs[3], columns}),
                   check_parameters(graph, {node.inputs[6], node.inputs[7], node.outputs[0], 1})});
}

}  // namespace cleave::exec
