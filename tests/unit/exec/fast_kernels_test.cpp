#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "exec/session.h"
#include "random_tensor.h"
#include "small_networks.h"
#include "tap_recorder.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::GraphBuilder;
using graph::TensorId;
using testing::NetworkBuilder;
using testing::random_floats;
using testing::relative_difference;
using testing::TapRecorder;

/// One more layer on top of a random one of `made`.
TensorId random_layer(NetworkBuilder& b, const std::vector<TensorId>& made) {
  const TensorId x = made[static_cast<std::size_t>(b.numbers().integer(0, static_cast<std::int64_t>(made.size()) - 1))];
  const std::int64_t channels = b.shape(x)[1];
  switch (b.numbers().integer(0, 15)) {
    case 0:
      return b.like_first("Relu", {b.conv(x, 8, 3)});
    case 1:
      return b.clip(b.conv(x, 4, 1), 0, 1.5f);
    case 2:
      return b.silu(b.conv(x, channels, 3));
    case 3:
      return b.like_first("Add", {b.conv(x, channels, 3, 1, channels), x});
    case 4:
      return b.like_first("Relu", {b.like_first("Add", {x, b.conv(x, channels, 1)})});
    case 5:
      return b.like_first("Relu", {b.batch_norm(x)});
    case 6:
      return b.max_pool(x);
    case 7:
      return b.channel_shuffle(x, 2);
    case 8:
      return b.like_first("LeakyRelu", {b.conv(x, 12, 3)}, {{"alpha", 0.1f}});
    case 9:
      return b.like_first("Mul", {x, b.shaped("GlobalAveragePool", {x}, {1, channels, 1, 1})});
    case 10:
      return b.like_first("HardSwish", {b.conv(x, 6, 3)});
    case 11:
      return b.like_first("Sub", {x, b.constant(random_floats({channels, 1, 1}, b.numbers().next()))});
    case 12:
      return b.like_first("Softmax", {x}, {{"axis", std::int64_t{1}}});
    case 13:
      return b.like_first("Tanh", {b.like_first("Add", {x, x})});
    case 14:
      return b.like_first("Mul", {x, b.like_first("HardSigmoid", {x}, {{"alpha", 1.0f / 6.0f}})});
    default:
      return b.conv(x, 8, 3);
  }
}

Graph random_network(std::uint64_t seed) {
  NetworkBuilder b(seed);
  std::vector<TensorId> made = {b.input({1, 4, 9, 7})};
  for (int i = 0; i < 12; ++i) made.push_back(random_layer(b, made));
  // Everything that nobody reads ends in one output, so that no layer is for nothing.
  b.output(b.concat({made.begin() + 1, made.end()}));
  b.output(made.back());
  return b.build();
}

TEST(FastKernels, AgreeWithReferenceKernelsOnRandomNetworksAndOnRandomTaps) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Graph graph = random_network(seed);
    const std::vector<Tensor> inputs = {random_floats({1, 4, 9, 7}, seed)};
    testing::Numbers numbers(seed);
    std::vector<TensorId> taps;
    for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
      if (graph.constant(static_cast<TensorId>(i)) == nullptr && numbers.integer(0, 3) == 0) {
        taps.push_back(static_cast<TensorId>(i));
      }
    }
    TapRecorder fast;
    TapRecorder naive;
    const auto expected = Session(graph, {Kernels::kReference, 1}).run(inputs, taps, naive);
    Session session(graph);
    const auto tapped = session.run(inputs, taps, fast);
    const auto plain = session.run(inputs);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_LE(relative_difference(plain[i], expected[i]), 1e-5) << "seed " << seed;
      EXPECT_LE(relative_difference(tapped[i], expected[i]), 1e-5) << "seed " << seed;
    }
    for (const TensorId id : taps) {
      EXPECT_LE(relative_difference(fast.value(id), naive.value(id)), 1e-5) << graph.tensor(id).name << " " << seed;
    }
  }
}

/// x -> Q -> (Clip) -> DQ; the codes are a second output when `codes_visible`, which forbids one pass.
Graph rounding_network(const Tensor& zero_point, float scale, int high, bool codes_visible, const Shape& shape) {
  GraphBuilder b;
  const DType codes_type = zero_point.dtype();
  const TensorId s = b.constant("s", Tensor::scalar(scale));
  const TensorId z = b.constant("z", zero_point);
  TensorId q = b.node("QuantizeLinear", {b.input("x", DType::kFloat32, shape), s, z}, {"q"})[0];
  b.set_shape(q, codes_type, shape);
  if (high > 0) {
    const TensorId low = b.constant("low", Tensor::scalar<std::uint8_t>(0));
    const TensorId top = b.constant("high", Tensor::scalar(static_cast<std::uint8_t>(high)));
    q = b.node("Clip", {q, low, top}, {"clipped"})[0];
    b.set_shape(q, codes_type, shape);
  }
  const TensorId y = b.node("DequantizeLinear", {q, s, z}, {"y"})[0];
  b.set_shape(y, DType::kFloat32, shape);
  b.output(y);
  if (codes_visible) b.output(q);
  return b.build();
}

/// Random values, halves of steps, and values far outside.
Tensor awkward_values(float scale) {
  Tensor values =
      random_floats({1, 5, 40, 30}, 17, -30.0 * static_cast<double>(scale), 300.0 * static_cast<double>(scale));
  const auto data = values.mutable_data<float>();
  for (std::size_t i = 0; i < 600; ++i) data[i] = (static_cast<float>(i) - 300.5f) * scale;
  const std::vector<float> far = {
      1e30f, -1e30f, 3e9f, -3e9f, std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
      0.0f,  -0.0f};
  std::copy(far.begin(), far.end(), data.begin() + 600);
  return values;
}

void expect_same_rounding(const Tensor& zero_point, float scale, int high) {
  const std::vector<Tensor> inputs = {awkward_values(scale)};
  const Shape& shape = inputs[0].shape();
  const Tensor naive =
      Session(rounding_network(zero_point, scale, high, true, shape), {Kernels::kReference, 1}).run(inputs)[0];
  const Tensor separate = Session(rounding_network(zero_point, scale, high, true, shape)).run(inputs)[0];
  const Tensor at_once = Session(rounding_network(zero_point, scale, high, false, shape)).run(inputs)[0];
  EXPECT_EQ(std::memcmp(naive.raw().data(), separate.raw().data(), naive.bytes()), 0);
  EXPECT_EQ(std::memcmp(naive.raw().data(), at_once.raw().data(), naive.bytes()), 0)
      << "scale " << scale << " high " << high;
}

TEST(FastKernels, FakeQuantizeInOnePassWithTheBitsOfSeparateOperators) {
  for (const float scale : {1.0f, 0.1f, 0.00731f, 12.5f}) {
    for (const int zero_point : {0, 3, 128, 255}) {
      const Tensor zero = Tensor::scalar(static_cast<std::uint8_t>(zero_point));
      for (const int high : {0, 1, 15, 127}) expect_same_rounding(zero, scale, high);
    }
    expect_same_rounding(Tensor::scalar<std::int8_t>(-5), scale, 0);
  }
}

TEST(FastKernels, FoldDequantizedWeightsIntoFloatConstants) {
  GraphBuilder b;
  const std::vector<std::int8_t> codes = {1, -2, 3, -4};
  const TensorId q = b.constant("q", Tensor::from<std::int8_t>({2, 2, 1, 1}, codes));
  const TensorId scales = b.constant("scales", Tensor::from<float>({2}, {0.5f, 2.0f}));
  const TensorId w = b.node("DequantizeLinear", {q, scales}, {"w"}, {{"axis", std::int64_t{0}}})[0];
  b.set_shape(w, DType::kFloat32, {2, 2, 1, 1});
  const TensorId y = b.node("Conv", {b.input("x", DType::kFloat32, {1, 2, 1, 1}), w}, {"y"})[0];
  b.set_shape(y, DType::kFloat32, {1, 2, 1, 1});
  b.output(y);
  const std::vector<Tensor> inputs = {Tensor::from<float>({1, 2, 1, 1}, {10.0f, 100.0f})};
  for (const Kernels kernels : {Kernels::kFast, Kernels::kReference}) {
    const Tensor result = Session(b.build(), {kernels, 1}).run(inputs)[0];
    EXPECT_EQ(result.data<float>()[0], 0.5f * 10 - 1.0f * 100);
    EXPECT_EQ(result.data<float>()[1], 6.0f * 10 - 8.0f * 100);
  }
}

}  // namespace
}  // namespace cleave::exec
