#include "layers.h"

#include <cmath>

namespace cleave::bench {

using graph::TensorId;

namespace {

std::vector<std::int64_t> square(std::int64_t size) {
  return {size, size};
}

}  // namespace

LayerWriter::LayerWriter(const std::string& name) {
  builder_.set_name(name);
  builder_.set_versions(13, 7);
}

TensorId LayerWriter::layer(const std::string& op, const std::string& name, const std::vector<TensorId>& inputs,
                            std::map<std::string, graph::AttributeValue> attributes) {
  return builder_.node(op, inputs, {name}, std::move(attributes))[0];
}

TensorId LayerWriter::uniform(const std::string& name, const Shape& shape, double low, double high) {
  Tensor tensor(DType::kFloat32, shape);
  const double step = (high - low) / 4294967296.0;
  for (float& value : tensor.mutable_data<float>()) {
    value = static_cast<float>(low + step * static_cast<double>(random_()));
  }
  return builder_.constant(name, std::move(tensor));
}

TensorId LayerWriter::weights(const std::string& name, const Shape& shape, double gain) {
  const auto inputs = static_cast<double>(element_count(shape) / shape.front());
  const double bound = std::sqrt(3 * gain / inputs);
  return uniform(name, shape, -bound, bound);
}

Feature LayerWriter::image(std::int64_t side) {
  return {builder_.input("input", DType::kFloat32, {-1, 3, side, side}, {"batch", "", "", ""}), 3};
}

Feature LayerWriter::convolve(const std::string& name, Feature x, const ConvShape& shape, double gain, bool biased) {
  const std::int64_t inputs = x.channels / shape.groups;
  std::vector<TensorId> given = {x.tensor,
                                 weights(name + ".weight", {shape.channels, inputs, shape.kernel, shape.kernel}, gain)};
  if (biased) given.push_back(uniform(name + ".bias", {shape.channels}, -0.1, 0.1));
  const std::int64_t pad = shape.kernel / 2;
  return {layer("Conv", name, given,
                {{"group", shape.groups},
                 {"kernel_shape", square(shape.kernel)},
                 {"pads", std::vector<std::int64_t>{pad, pad, pad, pad}},
                 {"strides", square(shape.stride)}}),
          shape.channels};
}

Feature LayerWriter::conv(const std::string& name, Feature x, const ConvShape& shape, double gain) {
  return convolve(name, x, shape, gain, false);
}

Feature LayerWriter::biased_conv(const std::string& name, Feature x, const ConvShape& shape, double gain) {
  return convolve(name, x, shape, gain, true);
}

Feature LayerWriter::conv_norm(const std::string& name, Feature x, const ConvShape& shape, double gain) {
  const Feature y = conv(name, x, shape, gain);
  const std::string norm = name + ".norm";
  const Shape each = {y.channels};
  return {layer("BatchNormalization", norm,
                {y.tensor, uniform(norm + ".weight", each, 0.8, 1.2), uniform(norm + ".bias", each, -0.1, 0.1),
                 uniform(norm + ".mean", each, -0.1, 0.1), uniform(norm + ".variance", each, 0.8, 1.25)}),
          y.channels};
}

Feature LayerWriter::linear(const std::string& name, Feature x, std::int64_t channels, double gain) {
  const TensorId w = weights(name + ".weight", {channels, x.channels}, gain);
  const TensorId b = uniform(name + ".bias", {channels}, -0.1, 0.1);
  return {layer("Gemm", name, {x.tensor, w, b}, {{"transB", std::int64_t{1}}}), channels};
}

Feature LayerWriter::activation(const std::string& op, const std::string& suffix, Feature x,
                                std::map<std::string, graph::AttributeValue> attributes) {
  return {layer(op, builder_.tensor_at(x.tensor).name + suffix, {x.tensor}, std::move(attributes)), x.channels};
}

Feature LayerWriter::relu6(Feature x) {
  for (const char* bound : {"zero", "six"}) {
    if (!builder_.find(bound)) builder_.constant(bound, Tensor::scalar(std::string(bound) == "six" ? 6.0F : 0.0F));
  }
  const std::string name = builder_.tensor_at(x.tensor).name + ".relu6";
  return {layer("Clip", name, {x.tensor, *builder_.find("zero"), *builder_.find("six")}), x.channels};
}

Feature LayerWriter::max_pool(const std::string& name, Feature x, const PoolShape& shape) {
  const std::int64_t before = shape.pad_before;
  const std::int64_t after = shape.pad_after;
  return {layer("MaxPool", name, {x.tensor},
                {{"ceil_mode", std::int64_t{shape.ceil ? 1 : 0}},
                 {"kernel_shape", square(shape.kernel)},
                 {"pads", std::vector<std::int64_t>{before, before, after, after}},
                 {"strides", square(shape.stride)}}),
          x.channels};
}

Feature LayerWriter::add(const std::string& name, Feature a, Feature b) {
  return {layer("Add", name, {a.tensor, b.tensor}), a.channels};
}

Feature LayerWriter::concat(const std::string& name, const std::vector<Feature>& parts) {
  std::vector<TensorId> tensors;
  std::int64_t channels = 0;
  for (const Feature& part : parts) {
    tensors.push_back(part.tensor);
    channels += part.channels;
  }
  return {layer("Concat", name, tensors, {{"axis", std::int64_t{1}}}), channels};
}

Feature LayerWriter::upsample(const std::string& name, Feature x) {
  const TensorId scales = builder_.constant(name + ".scales", Tensor::from<float>({4}, std::vector<float>{1, 1, 2, 2}));
  return {layer("Resize", name, {x.tensor, TensorId::kNone, scales},
                {{"coordinate_transformation_mode", std::string("asymmetric")},
                 {"mode", std::string("nearest")},
                 {"nearest_mode", std::string("floor")}}),
          x.channels};
}

Feature LayerWriter::flatten(const std::string& name, Feature x, std::int64_t pixels) {
  return {layer("Flatten", name, {x.tensor}, {{"axis", std::int64_t{1}}}), x.channels * pixels};
}

Feature LayerWriter::global_pool(const std::string& name, Feature x) {
  return {layer("GlobalAveragePool", name, {x.tensor}), x.channels};
}

void LayerWriter::output(Feature x, Shape shape) {
  std::vector<std::string> names(shape.size() + 1);
  names[0] = "batch";
  shape.insert(shape.begin(), -1);
  builder_.set_shape(x.tensor, DType::kFloat32, shape);
  builder_.tensor_at(x.tensor).dimension_names = names;
  builder_.output(x.tensor);
}

}  // namespace cleave::bench
