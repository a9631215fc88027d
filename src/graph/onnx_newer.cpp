#include "graph/onnx_newer.h"

#include <onnx/defs/schema.h>
#include <onnx/defs/shape_inference.h>
#include <onnx/defs/tensor_proto_util.h>
#include <onnx/onnx_pb.h>

#include <cmath>
#include <map>
#include <numeric>
#include <optional>

#include "core/tensor.h"

namespace cleave::graph {

namespace {

using onnx::InferenceContext;

/// The shape of an input when every dimension is known.
std::optional<Shape> known_shape(InferenceContext& context, std::size_t input) {
  if (!onnx::hasInputShape(context, input)) return std::nullopt;
  Shape shape;
  for (const auto& dimension : onnx::getInputShape(context, input).dim()) {
    if (!dimension.has_dim_value()) return std::nullopt;
    shape.push_back(dimension.dim_value());
  }
  return shape;
}

void set_shape(InferenceContext& context, const Shape& shape, std::size_t output = 0) {
  auto& target = *context.getOutputType(output)->mutable_tensor_type()->mutable_shape();
  target.clear_dim();
  for (const std::int64_t dimension : shape) target.add_dim()->set_dim_value(dimension);
}

bool is_given(InferenceContext& context, std::size_t input) {
  return input < context.getNumInputs() && context.getInputType(input) != nullptr;
}

/// Values of a constant input; empty when it is not there or not known.
template <typename T>
std::optional<std::vector<T>> values_of(InferenceContext& context, std::size_t input) {
  if (!is_given(context, input) || context.getInputData(input) == nullptr) return std::nullopt;
  return onnx::ParseData<T>(context.getInputData(input));
}

Shape integers_of(InferenceContext& context, const std::string& key, const Shape& fallback) {
  Shape values;
  return onnx::getRepeatedAttribute(context, key, values) ? values : fallback;
}

std::size_t axis_within(std::int64_t axis, std::size_t rank) {
  const std::int64_t positive = axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis;
  if (positive < 0 || positive >= static_cast<std::int64_t>(rank)) fail_shape_inference("axis outside");
  return static_cast<std::size_t>(positive);
}

void like_first(InferenceContext& context) {
  onnx::propagateShapeAndTypeFromFirstInput(context);
}

/// QuantizeLinear-21: the codes' type comes from output_dtype or from the zero point.
void quantize(InferenceContext& context) {
  auto type = static_cast<std::int32_t>(onnx::getAttribute(context, "output_dtype", 0));
  if (is_given(context, 2)) type = context.getInputType(2)->tensor_type().elem_type();
  if (type == 0) type = onnx::TensorProto::UINT8;
  onnx::propagateElemTypeFromDtypeToOutput(context, type, 0);
  if (onnx::hasInputShape(context, 0)) onnx::propagateShapeFromInputToOutput(context, 0, 0);
}

/// DequantizeLinear-19: numbers are of the scale's type.
void dequantize(InferenceContext& context) {
  onnx::propagateElemTypeFromInputToOutput(context, 1, 0);
  if (onnx::hasInputShape(context, 0)) onnx::propagateShapeFromInputToOutput(context, 0, 0);
}

/// Split-18: num_outputs pieces, the last one smaller where the axis does not divide.
void split(InferenceContext& context) {
  const std::size_t count = context.getNumOutputs();
  for (std::size_t i = 0; i < count; ++i) onnx::propagateElemTypeFromInputToOutput(context, 0, i);
  const auto shape = known_shape(context, 0);
  if (!shape) return;
  const std::size_t axis = axis_within(onnx::getAttribute(context, "axis", 0), shape->size());
  const std::int64_t piece = ((*shape)[axis] + static_cast<std::int64_t>(count) - 1) / static_cast<std::int64_t>(count);
  std::optional<Shape> sizes = values_of<std::int64_t>(context, 1);
  if (is_given(context, 1) && !sizes) return;
  if (!sizes) {
    sizes.emplace();
    for (std::int64_t left = (*shape)[axis]; sizes->size() < count; left -= sizes->back()) {
      sizes->push_back(std::min(piece, left));
    }
  }
  if (sizes->size() != count) fail_shape_inference("as many sizes as outputs are needed");
  for (std::size_t i = 0; i < count; ++i) {
    Shape part = *shape;
    part[axis] = (*sizes)[i];
    set_shape(context, part, i);
  }
}

/// Pad-18: pads belong to the axes of input 3.
void pad(InferenceContext& context) {
  onnx::propagateElemTypeFromInputToOutput(context, 0, 0);
  auto shape = known_shape(context, 0);
  const auto pads = values_of<std::int64_t>(context, 1);
  if (!shape || !pads) return;
  Shape axes(shape->size());
  std::iota(axes.begin(), axes.end(), std::int64_t{0});
  if (is_given(context, 3)) {
    const onnx::TensorProto* given = context.getInputData(3);
    if (given == nullptr) return;
    if (given->data_type() == onnx::TensorProto::INT32) {
      const auto narrow = onnx::ParseData<std::int32_t>(given);
      axes.assign(narrow.begin(), narrow.end());
    } else {
      axes = onnx::ParseData<std::int64_t>(given);
    }
  }
  if (pads->size() != 2 * axes.size()) fail_shape_inference("two pads per axis are needed");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    (*shape)[axis_within(axes[i], shape->size())] += (*pads)[i] + (*pads)[axes.size() + i];
  }
  set_shape(context, *shape);
}

/// Resize-18 when sizes are given: one factor for all axes unless the picture may be stretched.
void resize_to(Shape& shape, const std::vector<std::size_t>& axes, const Shape& sizes, const std::string& policy) {
  std::optional<double> common;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const double factor = static_cast<double>(sizes[i]) / static_cast<double>(shape[axes[i]]);
    if (!common) common = factor;
    common = policy == "not_larger" ? std::min(*common, factor) : std::max(*common, factor);
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const double scaled = std::floor(*common * static_cast<double>(shape[axes[i]]) + 0.5);
    shape[axes[i]] = policy == "stretch" ? sizes[i] : static_cast<std::int64_t>(scaled);
  }
}

void resize(InferenceContext& context) {
  onnx::propagateElemTypeFromInputToOutput(context, 0, 0);
  auto shape = known_shape(context, 0);
  if (!shape) return;
  Shape every(shape->size());
  std::iota(every.begin(), every.end(), std::int64_t{0});
  std::vector<std::size_t> axes;
  for (const std::int64_t axis : integers_of(context, "axes", every)) axes.push_back(axis_within(axis, shape->size()));
  const auto scales = values_of<float>(context, 2);
  const auto sizes = values_of<std::int64_t>(context, 3);
  if (sizes && sizes->size() == axes.size()) {
    resize_to(*shape, axes, *sizes, onnx::getAttribute(context, "keep_aspect_ratio_policy", "stretch"));
  } else if (scales && scales->size() == axes.size()) {
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const float scaled = static_cast<float>((*shape)[axes[i]]) * (*scales)[i];
      (*shape)[axes[i]] = static_cast<std::int64_t>(std::floor(scaled));
    }
  } else {
    return;
  }
  set_shape(context, *shape);
}

/// GridSample-20: N, C and the grid's places.
void grid_sample(InferenceContext& context) {
  onnx::propagateElemTypeFromInputToOutput(context, 0, 0);
  const auto shape = known_shape(context, 0);
  const auto grid = known_shape(context, 1);
  if (!shape || !grid || grid->size() < 2 || shape->size() < 2) return;
  Shape result(shape->begin(), shape->begin() + 2);
  result.insert(result.end(), grid->begin() + 1, grid->end() - 1);
  set_shape(context, result);
}

/// What pooling attributes say about one spatial axis.
struct PoolAxis {
  std::int64_t input = 0;
  std::int64_t reach = 0;  ///< (kernel - 1) * dilation + 1
  std::int64_t stride = 1;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

std::int64_t pooled_size(const PoolAxis& a, const std::string& auto_pad, bool ceil_mode) {
  if (a.stride < 1) fail_shape_inference("strides start at 1");
  if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") return (a.input + a.stride - 1) / a.stride;
  const std::int64_t room = a.input + a.begin + a.end - a.reach;
  if (room < 0) fail_shape_inference("the window is larger than the padded input");
  std::int64_t size = (room + (ceil_mode ? a.stride - 1 : 0)) / a.stride + 1;
  if (ceil_mode && (size - 1) * a.stride >= a.input + a.begin) --size;
  return size;
}

/// MaxPool, AveragePool, LpPool at every opset.
void pool(InferenceContext& context) {
  onnx::propagateElemTypeFromInputToOutput(context, 0, 0);
  if (context.getNumOutputs() > 1) {
    onnx::propagateElemTypeFromDtypeToOutput(context, onnx::TensorProto::INT64, 1);
  }
  auto shape = known_shape(context, 0);
  if (!shape || shape->size() < 3) return;
  const std::size_t rank = shape->size() - 2;
  const Shape kernel = integers_of(context, "kernel_shape", {});
  const Shape strides = integers_of(context, "strides", Shape(rank, 1));
  const Shape dilations = integers_of(context, "dilations", Shape(rank, 1));
  const std::string auto_pad = onnx::getAttribute(context, "auto_pad", "NOTSET");
  const Shape pads = auto_pad == "VALID" ? Shape(2 * rank, 0) : integers_of(context, "pads", Shape(2 * rank, 0));
  if (kernel.size() != rank || strides.size() != rank || dilations.size() != rank || pads.size() != 2 * rank) {
    fail_shape_inference("attributes do not have one value per spatial dimension");
  }
  const bool ceil_mode = onnx::getAttribute(context, "ceil_mode", 0) != 0;
  for (std::size_t i = 0; i < rank; ++i) {
    const PoolAxis axis{(*shape)[i + 2], (kernel[i] - 1) * dilations[i] + 1, strides[i], pads[i], pads[rank + i]};
    (*shape)[i + 2] = pooled_size(axis, auto_pad, ceil_mode);
  }
  for (std::size_t i = 0; i < context.getNumOutputs(); ++i) set_shape(context, *shape, i);
}

/// MaxUnpool: what output_shape says, or the input of the MaxPool that it undoes.
void max_unpool(InferenceContext& context) {
  onnx::propagateElemTypeFromInputToOutput(context, 0, 0);
  auto shape = known_shape(context, 0);
  if (is_given(context, 2)) {
    shape = values_of<std::int64_t>(context, 2);
    if (shape) set_shape(context, *shape);
    return;
  }
  const Shape kernel = integers_of(context, "kernel_shape", {});
  const Shape strides = integers_of(context, "strides", Shape(kernel.size(), 1));
  const Shape pads = integers_of(context, "pads", Shape(2 * kernel.size(), 0));
  if (!shape || shape->size() != kernel.size() + 2 || strides.size() != kernel.size() ||
      pads.size() != 2 * kernel.size()) {
    return;
  }
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    std::int64_t& size = (*shape)[i + 2];
    size = (size - 1) * strides[i] + kernel[i] - pads[i] - pads[kernel.size() + i];
  }
  set_shape(context, *shape);
}

/// DFT-20: the axis is an input.
void dft(InferenceContext& context) {
  onnx::propagateElemTypeFromInputToOutput(context, 0, 0);
  auto shape = known_shape(context, 0);
  const auto axis = is_given(context, 2) ? values_of<std::int64_t>(context, 2) : Shape{-2};
  if (!shape || !axis || axis->size() != 1) return;
  std::int64_t& size = (*shape)[axis_within(axis->front(), shape->size())];
  if (is_given(context, 1)) {
    const auto length = values_of<std::int64_t>(context, 1);
    if (!length || length->size() != 1) return;
    size = length->front();
  }
  if (onnx::getAttribute(context, "onesided", 0) != 0) size = size / 2 + 1;
  shape->back() = 2;
  set_shape(context, *shape);
}

/// What libonnx infers for another operator of an opset it knows.
onnx::InferenceFunction same_as(const char* op) {
  return onnx::OpSchemaRegistry::Instance()->GetSchema(op, 13)->GetTypeAndShapeInferenceFunction();
}

class NewerSchemas final : public onnx::ISchemaRegistry {
 public:
  NewerSchemas() {
    // Reductions take their axes as an input, as ReduceSum does since 13.
    for (const char* op : {"ReduceMax", "ReduceMin", "ReduceMean", "ReduceProd", "ReduceL1", "ReduceL2",
                           "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"}) {
      add(op, 18, same_as("ReduceSum"));
    }
    for (const char* op : {"BitwiseAnd", "BitwiseOr", "BitwiseXor"}) add(op, 18, same_as("Add"));
    for (const char* op : {"BitwiseNot", "Mish", "GroupNormalization"}) add(op, 18, like_first);
    for (const char* op : {"MaxPool", "AveragePool", "LpPool"}) add(op, 1, pool);
    add("MaxUnpool", 1, max_unpool);
    add("Gelu", 20, like_first);
    add("Split", 18, split);
    add("Pad", 18, pad);
    add("Resize", 18, resize);
    add("GridSample", 20, grid_sample);
    add("DFT", 20, dft);
    add("DequantizeLinear", 19, dequantize);
    add("QuantizeLinear", 19, quantize);
  }

  const onnx::OpSchema* GetSchema(const std::string& key, const int version, const std::string& domain) const override {
    const auto found = domain.empty() ? schemas_.find(key) : schemas_.end();
    if (found != schemas_.end() && version >= found->second.SinceVersion()) return &found->second;
    return onnx::OpSchemaRegistry::Instance()->GetSchema(key, version, domain);
  }

 private:
  void add(const std::string& op, int since, onnx::InferenceFunction rule) {
    onnx::OpSchema& schema = schemas_.try_emplace(op).first->second;
    schema.SetName(op).SinceVersion(since).TypeAndShapeInferenceFunction(std::move(rule));
  }

  std::map<std::string, onnx::OpSchema> schemas_;
};

}  // namespace

const onnx::ISchemaRegistry& schemas_with_newer() {
  static const NewerSchemas kSchemas;
  return kSchemas;
}

}  // namespace cleave::graph
