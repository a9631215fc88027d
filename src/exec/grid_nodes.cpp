#include "exec/grid_nodes.h"

#include "quant/wide_grid.h"

namespace cleave::exec {

using graph::GraphBuilder;
using graph::TensorId;

namespace {

Tensor uint8(std::int32_t value) {
  return Tensor::scalar(static_cast<std::uint8_t>(value));
}

/// One more node of a chain: reads `x` and then `parameters`, makes `name`.
TensorId step_of(GraphBuilder& builder, const std::string& op, TensorId x, const std::vector<TensorId>& parameters,
                 const std::string& name) {
  std::vector<TensorId> inputs{x};
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  const TensorId made = tensor_like(builder, x, name, DType::kFloat32);
  builder.node(op, inputs, {name}, {}, builder.tensor_at(made).name + "::" + op);
  return made;
}

}  // namespace

TensorId tensor_like(GraphBuilder& builder, TensorId model, const std::string& name, DType dtype) {
  const Shape shape = builder.tensor_at(model).shape;
  const TensorId id = builder.tensor(name);
  builder.set_shape(id, dtype, shape);
  return id;
}

TensorId add_quantizer(GraphBuilder& builder, TensorId x, const quant::AffineQuantizer& quantizer,
                       const std::string& codes, const std::string& value) {
  const TensorId scale = builder.constant(codes + "::scale", Tensor::scalar(quantizer.scale));
  const TensorId zero = builder.constant(codes + "::zero_point", uint8(quantizer.zero_point));
  const bool clipped = quantizer.bits.count < 8;
  const TensorId full = tensor_like(builder, x, clipped ? codes + "::unclipped" : codes, DType::kUint8);
  builder.node("QuantizeLinear", {x, scale, zero}, {builder.tensor_at(full).name});
  TensorId limited = full;
  if (clipped) {
    limited = tensor_like(builder, x, codes, DType::kUint8);
    const TensorId low = builder.constant(codes + "::min", uint8(0));
    const TensorId high = builder.constant(codes + "::max", uint8(quantizer.bits.max_unsigned()));
    builder.node("Clip", {full, low, high}, {codes});
  }
  const TensorId result = tensor_like(builder, x, value, DType::kFloat32);
  builder.node("DequantizeLinear", {limited, scale, zero}, {value}, {}, codes + "::dequantize");
  return result;
}

TensorId add_wide_quantizer(GraphBuilder& builder, TensorId x, float step, const std::string& value) {
  const auto limit = static_cast<float>(quant::kWideLimit);
  const TensorId scale = builder.constant(value + "::step", Tensor::scalar(step));
  const TensorId low = builder.constant(value + "::min", Tensor::scalar(-limit));
  const TensorId high = builder.constant(value + "::max", Tensor::scalar(limit));
  const TensorId steps = step_of(builder, "Div", x, {scale}, value + "::steps");
  const TensorId rounded = step_of(builder, "Round", steps, {}, value + "::rounded");
  const TensorId codes = step_of(builder, "Clip", rounded, {low, high}, value + "::codes");
  return step_of(builder, "Mul", codes, {scale}, value);
}

TensorId add_half_rounding(GraphBuilder& builder, TensorId x, const std::string& value) {
  const auto to = [](DType dtype) {
    return std::map<std::string, graph::AttributeValue>{{"to", static_cast<std::int64_t>(dtype)}};
  };
  const TensorId half = tensor_like(builder, x, value + "::float16", DType::kFloat16);
  builder.node("Cast", {x}, {builder.tensor_at(half).name}, to(DType::kFloat16));
  const TensorId result = tensor_like(builder, x, value, DType::kFloat32);
  builder.node("Cast", {half}, {value}, to(DType::kFloat32), value + "::float32");
  return result;
}

TensorId add_dequantized(GraphBuilder& builder, const Tensor& codes, const std::vector<float>& scales, int axis,
                         const std::string& value) {
  const Shape per_slice{static_cast<std::int64_t>(scales.size())};
  const TensorId stored = builder.constant(value + "::codes", codes);
  const TensorId scale = builder.constant(value + "::scale", Tensor::from<float>(per_slice, scales));
  const TensorId zero = builder.constant(value + "::zero_point", Tensor(codes.dtype(), per_slice));
  const TensorId result = tensor_like(builder, stored, value, DType::kFloat32);
  builder.node("DequantizeLinear", {stored, scale, zero}, {value}, {{"axis", static_cast<std::int64_t>(axis)}});
  return result;
}

}  // namespace cleave::exec
