#include "small_networks.h"

namespace cleave::exec::testing {

using graph::TensorId;

TensorId NetworkBuilder::input(const Shape& shape) {
  return builder_.input(builder_.free_name("x"), DType::kFloat32, shape);
}

TensorId NetworkBuilder::constant(Tensor value) {
  return builder_.constant(builder_.free_name("w"), std::move(value));
}

TensorId NetworkBuilder::shaped(const std::string& op, const std::vector<TensorId>& inputs, const Shape& shape,
                                std::map<std::string, graph::AttributeValue> attributes) {
  const TensorId made = builder_.node(op, inputs, {builder_.free_name("t")}, std::move(attributes))[0];
  builder_.set_shape(made, DType::kFloat32, shape);
  return made;
}

TensorId NetworkBuilder::like_first(const std::string& op, const std::vector<TensorId>& inputs,
                                    std::map<std::string, graph::AttributeValue> attributes) {
  return shaped(op, inputs, shape(inputs[0]), std::move(attributes));
}

TensorId NetworkBuilder::conv(TensorId x, std::int64_t channels, std::int64_t kernel, std::int64_t stride,
                              std::int64_t group) {
  const Shape in = shape(x);
  const std::int64_t pad = kernel / 2;
  const double spread = 1.5 / static_cast<double>(kernel * in[1] / group);
  const TensorId w =
      constant(random_floats({channels, in[1] / group, kernel, kernel}, numbers_.next(), -spread, spread));
  const TensorId b = constant(random_floats({channels}, numbers_.next(), -0.5, 0.5));
  const Shape out = {in[0], channels, (in[2] - 1) / stride + 1, (in[3] - 1) / stride + 1};
  return shaped("Conv", {x, w, b}, out,
                {{"pads", std::vector<std::int64_t>{pad, pad, pad, pad}},
                 {"strides", std::vector<std::int64_t>{stride, stride}},
                 {"group", group}});
}

TensorId NetworkBuilder::clip(TensorId x, float low, float high) {
  return like_first("Clip", {x, constant(Tensor::scalar(low)), constant(Tensor::scalar(high))});
}

TensorId NetworkBuilder::batch_norm(TensorId x) {
  std::vector<TensorId> inputs = {x};
  for (int i = 0; i < 4; ++i) inputs.push_back(constant(random_floats({shape(x)[1]}, numbers_.next(), 0.3, 1.5)));
  return like_first("BatchNormalization", inputs);
}

TensorId NetworkBuilder::concat(const std::vector<TensorId>& parts) {
  Shape out = shape(parts[0]);
  out[1] = 0;
  for (const TensorId part : parts) out[1] += shape(part)[1];
  return shaped("Concat", parts, out, {{"axis", std::int64_t{1}}});
}

TensorId NetworkBuilder::max_pool(TensorId x) {
  const std::vector<std::int64_t> threes = {3, 3};
  return like_first("MaxPool", {x}, {{"kernel_shape", threes}, {"pads", std::vector<std::int64_t>{1, 1, 1, 1}}});
}

TensorId NetworkBuilder::channel_shuffle(TensorId x, std::int64_t groups) {
  const Shape in = shape(x);
  const Shape open = {in[0], groups, in[1] / groups, in[2], in[3]};
  const Shape turned = {in[0], in[1] / groups, groups, in[2], in[3]};
  const TensorId a = shaped("Reshape", {x, constant(Tensor::from<std::int64_t>({5}, open))}, open);
  const TensorId b = shaped("Transpose", {a}, turned, {{"perm", std::vector<std::int64_t>{0, 2, 1, 3, 4}}});
  return shaped("Reshape", {b, constant(Tensor::from<std::int64_t>({4}, in))}, in);
}

graph::Graph residual_block() {
  graph::GraphBuilder b;
  const Shape shape = {1, 8, 6, 5};
  const auto conv = [&](TensorId x, const std::string& name, std::uint64_t seed) {
    const TensorId w = b.constant(name + "_w", random_floats({8, 8, 3, 3}, seed, -0.2, 0.2));
    return b.node("Conv", {x, w}, {name}, {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}})[0];
  };
  const TensorId x = b.input("x", DType::kFloat32, shape);
  const TensorId first = b.node("Relu", {conv(x, "a", 1)}, {"b"})[0];
  const TensorId sum = b.node("Add", {conv(first, "c", 2), first}, {"sum"})[0];
  b.output(b.node("Relu", {sum}, {"y"})[0]);
  for (const char* name : {"a", "b", "c", "sum", "y"}) b.set_shape(b.tensor(name), DType::kFloat32, shape);
  return b.build();
}

}  // namespace cleave::exec::testing
