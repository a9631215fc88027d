#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "exec/compiler.h"
#include "exec/executor.h"
#include "exec/kernels/fast/reorder.h"
#include "exec/session.h"
#include "exec/weight_store.h"
#include "graph/builder.h"
#include "quant/packing.h"
#include "quantized_network.h"
#include "small_networks.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::TensorId;
using testing::NetworkBuilder;
using testing::quantize;
using testing::QuantizedNetwork;
using Integers = std::vector<std::int64_t>;

/// Names of the steps that the fast kernels run, "Conv brgconv..." etc.
std::vector<std::string> steps_of(const Graph& graph) {
  const FoldedConstants folded(graph);
  const Program program = compile({graph, folded, Kernels::kFast, {}, fast::make_dnnl_state()});
  std::vector<std::string> names;
  for (const ScheduledStep& step : program.steps) names.push_back(step.op);
  return names;
}

std::int64_t count(const std::vector<std::string>& steps, const std::string& op) {
  return std::count(steps.begin(), steps.end(), op);
}

/// The fast kernels' outputs are the reference kernels' (which compute in floats), at most `share` of them a code
/// apart.
void expect_same_codes(const QuantizedNetwork& network, double share = 0.001) {
  const std::vector<Tensor> inputs{network.input};
  const Tensor wanted = Session(network.graph, {Kernels::kReference, 1}).run(inputs)[0];
  for (const int threads : {1, 3}) {
    const Tensor given = Session(network.graph, {Kernels::kFast, threads}).run(inputs)[0];
    const auto a = wanted.data<float>();
    const auto b = given.data<float>();
    const std::string last = network.graph.tensor(network.graph.outputs()[0]).name;
    const auto producer = *network.graph.producer(network.graph.outputs()[0]);
    const float scale = network.graph.constant(network.graph.node(producer).inputs[1])->data<float>()[0];
    std::int64_t apart = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const float steps = std::abs(a[i] - b[i]) / scale;
      EXPECT_LT(steps, 1.01F) << last << "[" << i << "]";
      apart += steps > 0.5F ? 1 : 0;
    }
    EXPECT_LE(static_cast<double>(apart), std::max(1.0, share * static_cast<double>(a.size()))) << threads;
  }
}

TEST(Integer, ConvolutionsOfEveryKindRunOnCodes) {
  struct Case {
    std::int64_t in, out, kernel, stride, group;
  };
  for (const Case& c : {Case{8, 16, 3, 1, 1}, Case{16, 24, 1, 1, 1}, Case{3, 32, 7, 2, 1}, Case{32, 32, 3, 1, 32},
                        Case{24, 24, 5, 2, 24}, Case{16, 32, 3, 1, 2}, Case{7, 5, 3, 2, 1}, Case{6, 1, 1, 1, 1}}) {
    NetworkBuilder b(static_cast<std::uint64_t>(c.in * 7 + c.kernel));
    const TensorId x = b.input({2, c.in, 13, 11});
    b.output(b.like_first("Relu", {b.conv(b.conv(x, c.in, 3), c.out, c.kernel, c.stride, c.group)}));
    for (const int bits : {8, 4}) expect_same_codes(quantize(b.build(), bits), 0.005);
  }
}

TEST(Integer, KeepsCodesFromTheInputToTheOutput) {
  NetworkBuilder b(3);
  const TensorId x = b.input({1, 8, 12, 12});
  const TensorId a = b.like_first("Relu", {b.conv(x, 16, 3)});
  const TensorId left = b.conv(a, 16, 1);
  const TensorId sum = b.like_first("Relu", {b.like_first("Add", {left, b.max_pool(b.conv(a, 16, 3))})});
  const TensorId joined = b.concat({sum, b.conv(sum, 8, 3, 1, 8)});
  b.output(b.shaped("GlobalAveragePool", {b.channel_shuffle(joined, 2)}, {1, 24, 1, 1}));
  const QuantizedNetwork network = quantize(b.build());
  const auto steps = steps_of(network.graph);
  EXPECT_EQ(count(steps, "QuantizeLinear"), 2);  // the input, and the pool's codes to their own range
  EXPECT_EQ(count(steps, "Dequantize"), 1);
  expect_same_codes(network);
}

TEST(Integer, FunctionsOfOneTensorAreTables) {
  for (const char* op : {"Sigmoid", "HardSwish", "Tanh", "LeakyRelu", "Elu", "Softplus", "Neg"}) {
    NetworkBuilder b(4);
    const TensorId y = b.like_first(op, {b.conv(b.input({1, 4, 9, 9}), 8, 3)});
    b.output(b.like_first("Mul", {y, b.constant(Tensor::scalar(0.75F))}));
    expect_same_codes(quantize(b.build(), 7));
  }
}

TEST(Integer, FunctionsBehindAConvolutionAreComputedInRealNumbers) {
  for (const char* op : {"HardSigmoid", "Sigmoid", "HardSwish", "Tanh", "LeakyRelu", "Elu"}) {
    NetworkBuilder b(12);
    b.output(b.like_first(op, {b.conv(b.input({2, 6, 9, 7}), 1, 1)}));
    for (const int bits : {8, 4}) expect_same_codes(quantize(b.build(), bits), 0.01);
  }
}

TEST(Integer, FunctionsBehindAConvolutionStoreCodesAtOnce) {
  for (const char* op : {"HardSigmoid", "Sigmoid", "HardSwish", "Tanh", "LeakyRelu", "Elu"}) {
    NetworkBuilder b(12);
    b.output(b.like_first(op, {b.conv(b.input({2, 6, 9, 7}), 16, 1)}));
    // The input's codes need 7 bits, as the weights: sums are oneDNN's on every CPU.
    EXPECT_EQ(count(steps_of(quantize(b.build(), 7).graph), "QuantizeLinear"), 1) << op;
  }
}

TEST(Integer, LeakyReluAndSiluStoreCodesAtOnceOnEveryCpu) {
  for (const bool silu : {false, true}) {
    NetworkBuilder b(17);
    const TensorId x = b.conv(b.input({2, 6, 19, 17}), 21, 3);
    b.output(silu ? b.silu(x) : b.like_first("LeakyRelu", {x}, {{"alpha", 0.1F}}));
    const QuantizedNetwork network = quantize(b.build());
    EXPECT_EQ(count(steps_of(network.graph), "QuantizeLinear"), 1) << silu;
    EXPECT_EQ(count(steps_of(network.graph), "Dequantize"), 1) << silu;
    expect_same_codes(network);
  }
}

TEST(Integer, ClampsBehindAFunctionNarrowItsCodes) {
  NetworkBuilder b(13);
  const TensorId x = b.like_first("HardSigmoid", {b.conv(b.input({1, 4, 9, 7}), 16, 3)});
  const TensorId low = b.constant(Tensor::scalar(0.2F));
  b.output(b.like_first("Clip", {x, low, b.constant(Tensor::scalar(0.7F))}));
  for (const int bits : {8, 4}) expect_same_codes(quantize(b.build(), bits), 0.01);
}

/// The same with the bias of every convolution as floats between the steps of its codes.
QuantizedNetwork with_float_biases(const QuantizedNetwork& network) {
  graph::GraphBuilder builder(network.graph);
  for (std::size_t i = 0; i < network.graph.nodes().size(); ++i) {
    graph::Node& node = builder.node_at(static_cast<graph::NodeId>(i));
    if (node.op != "Conv") continue;
    const std::int64_t channels = network.graph.tensor(node.outputs[0]).shape[1];
    node.inputs[2] = builder.constant(node.name + "::float_bias", testing::random_floats({channels}, 31, -0.3, 0.3));
  }
  return {builder.build(), network.input};
}

/// The tensor that holds the codes of the first convolution's weights.
TensorId weight_codes(const Graph& graph) {
  const auto conv = std::find_if(graph.nodes().begin(), graph.nodes().end(),
                                 [](const graph::Node& node) { return node.op == "Conv"; });
  return graph.node(*graph.producer(conv->inputs[1])).inputs[0];
}

TEST(Integer, WeightsOfFewBitsLiePackedBeforeAndAfterCompilation) {
  for (const int bits : {2, 3, 5, 7}) {
    NetworkBuilder b(15);
    b.output(b.conv(b.input({1, 9, 6, 6}), 23, 3));
    const QuantizedNetwork network = quantize(b.build(), bits);
    const std::vector<Tensor> inputs{network.input};
    const Tensor wanted = Session(network.graph, {Kernels::kReference, 1}).run(inputs)[0];
    const TensorId id = weight_codes(network.graph);
    const Tensor plain = network.graph.constant(id)->clone();
    graph::GraphBuilder builder(network.graph);
    builder.set_constant(id, plain);
    Session session(builder.build());
    builder = graph::GraphBuilder();
    for (const char* when : {"loaded", "compiled"}) {
      EXPECT_TRUE(plain.is_unshared()) << when;  // the only one left is the test's
      EXPECT_EQ(static_cast<std::int64_t>(session.graph().constant(id)->bytes()),
                quant::wire_bytes(plain.elements(), quant::Bits{bits}))
          << when;
      session.compile();
    }
    const Tensor given = session.run(inputs)[0];
    for (std::size_t i = 0; i < wanted.data<float>().size(); ++i) {
      EXPECT_NEAR(given.data<float>()[i], wanted.data<float>()[i], 1e-5) << bits;
    }
  }
}

TEST(Integer, CompilingUnpacksOneWeightAfterTheOther) {
  NetworkBuilder b(18);
  TensorId x = b.input({1, 32, 6, 6});
  for (int i = 0; i < 4; ++i) x = b.conv(x, 32, 3);
  b.output(x);
  PackedConstants packed;
  const Graph graph = packed.take_from(quantize(b.build(), 5).graph);
  const TensorId first = weight_codes(graph);
  const FoldedConstants folded(graph, &packed);
  EXPECT_EQ(folded.value(first)->bytes(), 32 * 32 * 9u);
  EXPECT_GE(folded.held_bytes(), 32 * 32 * 9u);
  compile({graph, folded, Kernels::kFast, {}, fast::make_dnnl_state()});
  EXPECT_LT(folded.held_bytes(), 32 * 32 * 9u);
  EXPECT_EQ(folded.value(first)->bytes(), 32 * 32 * 9u);
}

TEST(Integer, SessionsShareTheWeightsOfTheirKernels) {
  NetworkBuilder b(16);
  const TensorId x = b.like_first("Relu", {b.conv(b.input({1, 6, 9, 9}), 20, 3)});
  b.output(b.conv(x, 20, 3, 1, 20));
  const QuantizedNetwork network = quantize(b.build());
  const std::size_t before = shared_weights().live();
  Session first(network.graph);
  first.compile();
  const std::size_t mine = shared_weights().live() - before;
  EXPECT_EQ(mine, 2u);
  Session second(network.graph, {Kernels::kFast, 2});
  second.compile();
  EXPECT_EQ(shared_weights().live() - before, mine);
}

/// x (uint8 codes) * w + nothing, with the weights' codes in a type and around a zero point that are not int8 and 0.
QuantizedNetwork with_weights(DType dtype, int zero_point) {
  graph::GraphBuilder b;
  const Tensor input = testing::random_floats({1, 6, 7, 7}, 3, -1, 1);
  const auto scalar = [&b](const std::string& name, float value) { return b.constant(name, Tensor::scalar(value)); };
  const auto like = [&b](TensorId id, DType type, const Shape& shape) {
    b.set_shape(id, type, shape);
    return id;
  };
  const TensorId x = b.input("x", DType::kFloat32, input.shape());
  const TensorId in = scalar("in", 2.0F / 255);
  const TensorId zero = b.constant("zero", Tensor::scalar(std::uint8_t{128}));
  const TensorId q = like(b.node("QuantizeLinear", {x, in, zero}, {"q"})[0], DType::kUint8, input.shape());
  const TensorId dq = like(b.node("DequantizeLinear", {q, in, zero}, {"dq"})[0], DType::kFloat32, input.shape());
  const Shape shape{8, 6, 3, 3};
  Tensor codes(dtype, shape);
  std::uint32_t state = 7;
  for (std::byte& byte : codes.mutable_raw()) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::byte>(state >> 24);
  }
  Tensor zeros(dtype, {8});
  for (std::byte& byte : zeros.mutable_raw()) byte = static_cast<std::byte>(zero_point);
  const std::vector<TensorId> weights{b.constant("codes", codes),
                                      b.constant("scales", testing::random_floats({8}, 5, 0.01, 0.02)),
                                      b.constant("zeros", zeros)};
  const TensorId w =
      like(b.node("DequantizeLinear", weights, {"w"}, {{"axis", std::int64_t{0}}})[0], DType::kFloat32, shape);
  const Shape out{1, 8, 5, 5};
  const TensorId y = like(b.node("Conv", {dq, w}, {"y"})[0], DType::kFloat32, out);
  const TensorId to = scalar("to", 0.05F);
  const TensorId yq = like(b.node("QuantizeLinear", {y, to, zero}, {"yq"})[0], DType::kUint8, out);
  b.output(like(b.node("DequantizeLinear", {yq, to, zero}, {"result"})[0], DType::kFloat32, out));
  b.set_versions(21, 10);
  return {b.build(), input};
}

TEST(Integer, WeightsMayBeOfFourBitsOrUnsigned) {
  struct Case {
    DType dtype;
    int zero_points;  ///< one byte of them
  };
  for (const Case& c : {Case{DType::kInt4, 0}, Case{DType::kUint4, 0x88}, Case{DType::kUint8, 128}}) {
    const QuantizedNetwork network = with_weights(c.dtype, c.zero_points);
    EXPECT_EQ(count(steps_of(network.graph), "Dequantize"), 1) << dtype_name(c.dtype);
    expect_same_codes(network);
  }
}

TEST(Integer, BiasesMayBeFloats) {
  NetworkBuilder b(14);
  const TensorId x = b.like_first("Relu", {b.conv(b.input({1, 4, 9, 7}), 16, 3)});
  b.output(b.conv(x, 16, 3, 1, 16));
  const QuantizedNetwork network = with_float_biases(quantize(b.build()));
  EXPECT_EQ(count(steps_of(network.graph), "Dequantize"), 1);
  expect_same_codes(network);
}

TEST(Integer, GatesAndSqueezeExciteRunOnCodes) {
  NetworkBuilder b(6);
  const TensorId x = b.silu(b.conv(b.input({2, 8, 10, 10}), 16, 3));
  const TensorId squeezed = b.shaped("GlobalAveragePool", {x}, {2, 16, 1, 1});
  const TensorId excited = b.like_first("Sigmoid", {b.conv(b.like_first("Relu", {b.conv(squeezed, 4, 1)}), 16, 1)});
  b.output(b.like_first("Sub", {b.like_first("Mul", {x, excited}), x}));
  const QuantizedNetwork network = quantize(b.build());
  EXPECT_EQ(count(steps_of(network.graph), "Dequantize"), 1);
  expect_same_codes(network, 0.005);
}

TEST(Integer, ResizesCodes) {
  for (const char* mode : {"nearest", "linear"}) {
    NetworkBuilder b(7);
    const TensorId x = b.conv(b.input({1, 4, 6, 5}), 8, 3);
    const TensorId scales = b.constant(Tensor::from<float>({4}, std::vector<float>{1, 1, 2.5F, 3}));
    b.output(b.shaped("Resize", {x, TensorId::kNone, scales}, {1, 8, 15, 15}, {{"mode", std::string(mode)}}));
    const QuantizedNetwork network = quantize(b.build());
    EXPECT_EQ(count(steps_of(network.graph), "Dequantize"), 1) << mode;
    expect_same_codes(network, 0.01);
  }
}

TEST(Integer, ProductsRunOnCodes) {
  NetworkBuilder b(8);
  const TensorId x = b.shaped("Flatten", {b.conv(b.input({3, 2, 6, 6}), 4, 3)}, {3, 144});
  const TensorId w = b.constant(testing::random_floats({144, 20}, 1, -0.2, 0.2));
  const TensorId v = b.constant(testing::random_floats({7, 20}, 2, -0.2, 0.2));
  const TensorId bias = b.constant(testing::random_floats({7}, 3, -0.2, 0.2));
  const TensorId hidden = b.like_first("Relu", {b.shaped("MatMul", {x, w}, {3, 20})});
  b.output(b.shaped("Gemm", {hidden, v, bias}, {3, 7}, {{"transB", std::int64_t{1}}}));
  const QuantizedNetwork network = quantize(b.build());
  EXPECT_EQ(count(steps_of(network.graph), "Dequantize"), 1);
  expect_same_codes(network);
}

TEST(Integer, AveragesCodesInsideThePadding) {
  NetworkBuilder b(9);
  const TensorId x = b.conv(b.input({2, 3, 9, 9}), 300, 1);
  b.output(b.shaped("AveragePool", {x}, {2, 300, 5, 5},
                    {{"kernel_shape", Integers{3, 3}}, {"strides", Integers{2, 2}}, {"pads", Integers{1, 1, 1, 1}}}));
  expect_same_codes(quantize(b.build()));
}

TEST(Integer, FloatReadersGetTheValuesOfTheCodes) {
  NetworkBuilder b(10);
  const TensorId x = b.conv(b.input({1, 4, 8, 8}), 8, 3);
  const TensorId softmax = b.like_first("Softmax", {x}, {{"axis", std::int64_t{1}}});
  b.output(b.like_first("Add", {softmax, x}));
  expect_same_codes(quantize(b.build()));
}

}  // namespace
}  // namespace cleave::exec
