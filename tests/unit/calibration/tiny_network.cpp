#include "tiny_network.h"

namespace cleave::testing {

namespace {

Tensor weights(const Shape& shape, std::uint32_t seed) {
  std::vector<float> values;
  std::uint32_t state = seed * 2654435761U + 99U;
  for (std::int64_t i = 0; i < element_count(shape); ++i) {
    state = state * 1664525U + 1013904223U;
    values.push_back(static_cast<float>(state >> 8) / 16777216.0F - 0.5F);
  }
  return Tensor::from<float>(shape, values);
}

}  // namespace

graph::Graph tiny_network(std::uint32_t seed) {
  using graph::TensorId;
  graph::GraphBuilder builder;
  const TensorId x = builder.input("x", DType::kFloat32, {1, 3, 6, 6});
  const TensorId first = builder.constant("first", weights({4, 3, 3, 3}, seed));
  const TensorId second = builder.constant("second", weights({2, 4, 1, 1}, seed + 1));
  const TensorId c = builder.node("Conv", {x, first}, {"c"}, {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}})[0];
  const TensorId r = builder.node("Relu", {c}, {"r"})[0];
  const TensorId z = builder.node("Conv", {r, second}, {"z"})[0];
  for (const TensorId id : {c, r}) builder.set_shape(id, DType::kFloat32, {1, 4, 6, 6});
  builder.set_shape(z, DType::kFloat32, {1, 2, 6, 6});
  builder.output(z);
  return builder.build();
}

}  // namespace cleave::testing
