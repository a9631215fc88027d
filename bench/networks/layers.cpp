#include "layers.h"

#include <cmath>

namespace cleave::bench {

using graph::TensorId;

LayerWriter::LayerWriter(const std::string& name) {
  builder_.set_name(name);
  builder_.set_versions(13, 7);
}

TensorId LayerWriter::image(std::int64_t height, std::int64_t width) {
  return builder_.input("input", DType::kFloat32, {-1, 3, height, width}, {"batch", "", "", ""});
}

TensorId LayerWriter::layer(const std::string& op, const std::vector<TensorId>& inputs,
                            std::map<std::string, graph::AttributeValue> attributes) {
  const std::string name = op + "_" + std::to_string(layers_++);
  return builder_.node(op, inputs, {name}, std::move(attributes))[0];
}

TensorId LayerWriter::weights(const std::string& name, const Shape& shape, double variance) {
  Tensor tensor(DType::kFloat32, shape);
  const double bound = std::sqrt(3 * variance);
  for (float& value : tensor.mutable_data<float>()) {
    value = static_cast<float>(bound * (static_cast<double>(random_()) / 2147483648.0 - 1));
  }
  return builder_.constant(name, std::move(tensor));
}

TensorId LayerWriter::conv(TensorId x, const ConvShape& shape, double gain) {
  const std::int64_t inputs = shape.channels_in / shape.group;
  const auto fan_in = static_cast<double>(inputs * shape.kernel * shape.kernel);
  const std::string name = "Conv_" + std::to_string(layers_);
  const TensorId w = weights(name + ".weight", {shape.channels_out, inputs, shape.kernel, shape.kernel}, gain / fan_in);
  const TensorId b = weights(name + ".bias", {shape.channels_out}, 0.01);
  const std::int64_t pad = shape.kernel / 2;
  return layer("Conv", {x, w, b},
               {{"group", shape.group},
                {"kernel_shape", std::vector<std::int64_t>{shape.kernel, shape.kernel}},
                {"pads", std::vector<std::int64_t>{pad, pad, pad, pad}},
                {"strides", std::vector<std::int64_t>{shape.stride, shape.stride}}});
}

TensorId LayerWriter::relu6(TensorId x) {
  for (const char* bound : {"zero", "six"}) {
    if (!builder_.find(bound)) builder_.constant(bound, Tensor::scalar(std::string(bound) == "six" ? 6.0F : 0.0F));
  }
  return layer("Clip", {x, *builder_.find("zero"), *builder_.find("six")});
}

TensorId LayerWriter::max_pool_3x3_stride_2(TensorId x) {
  return layer("MaxPool", {x},
               {{"kernel_shape", std::vector<std::int64_t>{3, 3}},
                {"pads", std::vector<std::int64_t>{1, 1, 1, 1}},
                {"strides", std::vector<std::int64_t>{2, 2}}});
}

graph::Graph LayerWriter::classify(TensorId x, std::int64_t channels, std::int64_t classes) {
  const TensorId pooled = layer("Flatten", {layer("GlobalAveragePool", {x})}, {{"axis", std::int64_t{1}}});
  const TensorId w = weights("fc.weight", {classes, channels}, 2.0 / static_cast<double>(channels));
  const TensorId b = weights("fc.bias", {classes}, 0.01);
  return finish(builder_.node("Gemm", {pooled, w, b}, {"logits"}, {{"transB", std::int64_t{1}}})[0], {classes});
}

graph::Graph LayerWriter::finish(TensorId x, Shape shape) {
  std::vector<std::string> names(shape.size() + 1);
  names[0] = "batch";
  shape.insert(shape.begin(), -1);
  builder_.set_shape(x, DType::kFloat32, shape);
  builder_.tensor_at(x).dimension_names = names;
  builder_.output(x);
  return builder_.build();
}

}  // namespace cleave::bench
