#include "exact_unit.h"

#include <algorithm>
#include <cmath>

namespace cleave::exec::testing {

using graph::Node;
using graph::TensorId;
using Number = std::optional<double>;

namespace {

Number element(const Tensor& tensor, std::int64_t place) {
  const auto i = static_cast<std::size_t>(tensor.elements() == 1 ? 0 : place);
  if (tensor.dtype() == DType::kFloat32) return tensor.data<float>()[i];
  if (tensor.dtype() == DType::kUint8) return tensor.data<std::uint8_t>()[i];
  if (tensor.dtype() == DType::kInt8) return tensor.data<std::int8_t>()[i];
  if (tensor.dtype() == DType::kInt32) return tensor.data<std::int32_t>()[i];
  return std::nullopt;
}

Number function(const Node& node, double x) {
  if (node.op == "Relu") return std::max(x, 0.0);
  if (node.op == "LeakyRelu") return x < 0 ? x * static_cast<double>(node.number("alpha", 0.01F)) : x;
  if (node.op == "Sigmoid") return 1 / (1 + std::exp(-x));
  return std::nullopt;
}

}  // namespace

std::optional<int> ExactUnit::code(std::int64_t place) const {
  const Number found = value(unit_.outputs()[0], place);
  return found ? std::optional(static_cast<int>(*found)) : std::nullopt;
}

Number ExactUnit::value(TensorId id, std::int64_t place) const {
  if (const Tensor* constant = unit_.constant(id)) return element(*constant, place);
  if (const auto producer = unit_.producer(id)) return made(unit_.node(*producer), place);
  return element(codes_.at(unit_.tensor(id).name), place);
}

Number ExactUnit::made(const Node& node, std::int64_t place) const {
  if (node.op == "DequantizeLinear") return dequantized(node, place);
  if (node.op == "Conv") return convolved(node, place);
  const Number x = value(node.inputs[0], place);
  if (!x || node.inputs.size() < 2) return x ? function(node, *x) : std::nullopt;
  const Number second = node.input(1) == TensorId::kNone ? -INFINITY : value(node.inputs[1], place);
  const Number third = node.input(2) == TensorId::kNone ? INFINITY : value(node.inputs[2], place);
  if (!second || !third) return std::nullopt;
  if (node.op == "Clip") return std::min(std::max(*x, *second), *third);
  if (node.op == "QuantizeLinear") {
    const double zero = std::isinf(*third) ? 0 : *third;
    return std::clamp(std::nearbyint(*x / *second) + zero, 0.0, 255.0);
  }
  const auto& shape = unit_.tensor(node.outputs[0]).shape;
  if (unit_.tensor(node.inputs[0]).shape != shape || unit_.tensor(node.inputs[1]).shape != shape) return std::nullopt;
  if (node.op == "Add") return *x + *second;
  return node.op == "Mul" ? Number(*x * *second) : std::nullopt;
}

Number ExactUnit::dequantized(const Node& node, std::int64_t place) const {
  const Shape& shape = unit_.tensor(node.inputs[0]).shape;
  std::int64_t inner = 1;
  const auto axis = static_cast<std::size_t>(node.integer("axis", 1));
  for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  const std::int64_t slice = axis < shape.size() ? place / inner % shape[axis] : 0;
  const Number code = value(node.inputs[0], place);
  const Number scale = value(node.inputs[1], slice);
  const Number zero = node.input(2) == TensorId::kNone ? 0 : value(node.inputs[2], slice);
  if (!code || !scale || !zero) return std::nullopt;
  return (*code - *zero) * *scale;
}

/// Of pictures.
Number ExactUnit::convolved(const Node& node, std::int64_t place) const {
  const Shape& in = unit_.tensor(node.inputs[0]).shape;
  const Shape& weights = unit_.tensor(node.inputs[1]).shape;
  const Shape& out = unit_.tensor(node.outputs[0]).shape;
  if (out.size() != 4 || node.text("auto_pad", "NOTSET") != "NOTSET") return std::nullopt;
  const auto pads = node.integers("pads", {0, 0, 0, 0});
  const auto strides = node.integers("strides", {1, 1});
  const auto dilations = node.integers("dilations", {1, 1});
  const std::int64_t x = place % out[3];
  const std::int64_t y = place / out[3] % out[2];
  const std::int64_t channel = place / out[3] / out[2] % out[1];
  const std::int64_t image = place / out[3] / out[2] / out[1];
  const std::int64_t first = channel / (out[1] / node.integer("group", 1)) * weights[1];
  double sum = 0;
  for (std::int64_t tap = 0; tap < weights[1] * weights[2] * weights[3]; ++tap) {
    const std::int64_t from_x = x * strides[1] - pads[1] + tap % weights[3] * dilations[1];
    const std::int64_t from_y = y * strides[0] - pads[0] + tap / weights[3] % weights[2] * dilations[0];
    if (from_x < 0 || from_x >= in[3] || from_y < 0 || from_y >= in[2]) continue;
    const std::int64_t from_channel = image * in[1] + first + tap / weights[3] / weights[2];
    const Number code = value(node.inputs[0], (from_channel * in[2] + from_y) * in[3] + from_x);
    const Number weight = value(node.inputs[1], channel * weights[1] * weights[2] * weights[3] + tap);
    if (!code || !weight) return std::nullopt;
    sum += *code * *weight;
  }
  const Number bias = node.input(2) == TensorId::kNone ? 0 : value(node.inputs[2], channel);
  return bias ? Number(sum + *bias) : std::nullopt;
}

}  // namespace cleave::exec::testing
