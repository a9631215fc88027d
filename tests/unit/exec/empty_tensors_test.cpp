#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/prepare.h"
#include "operator_cases.h"
#include "random_tensor.h"
#include "small_networks.h"
#include "support/ort.h"
#include "text_network.h"

namespace cleave::exec {
namespace {

using testing::absent;
using testing::constant;
using testing::expect_like_onnx_runtime;
using testing::image;
using testing::input;
using testing::integers;
using testing::Integers;
using testing::number;
using testing::numbers;
using testing::Operand;
using testing::OperatorCase;
using testing::random_floats;
using testing::weights;

const Shape kNoImages = {0, 6, 9, 7};

Operand no_images() {
  return image(1, kNoImages);
}

Operand floats(const Shape& shape) {
  return input(random_floats(shape, 2));
}

TEST(EmptyTensors, OfABatchWithoutImagesGoThroughEveryLayer) {
  CLEAVE_NEEDS_ORT();
  const Operand channels = constant(random_floats({6}, 4, 0.5, 1));
  const Integers twos = {2, 2};
  const std::vector<OperatorCase> cases = {
      {"", "Conv", {no_images(), weights({4, 6, 3, 3})}, {}, {}},
      {"", "ConvTranspose", {no_images(), weights({6, 4, 2, 2})}, {{"strides", twos}}, {}},
      {"", "BatchNormalization", {no_images(), channels, channels, channels, channels}, {}, {}},
      {"", "LayerNormalization", {no_images(), constant(random_floats({7}, 4))}, {}, {}},
      {"", "LRN", {no_images()}, {{"size", std::int64_t{3}}}, {}},
      {"", "MaxPool", {no_images()}, {{"kernel_shape", twos}}, {}},
      {"", "AveragePool", {no_images()}, {{"kernel_shape", twos}, {"strides", twos}}, {}},
      {"", "GlobalAveragePool", {no_images()}, {}, {}},
      {"", "Relu", {no_images()}, {}, {}},
      {"", "Sigmoid", {no_images()}, {}, {}},
      {"", "Clip", {no_images(), number(0), number(1)}, {}, {}},
      {"", "PRelu", {no_images(), weights({6, 1, 1})}, {}, {}},
      {"", "Softmax", {no_images()}, {{"axis", std::int64_t{1}}}, {}},
      {"", "Add", {no_images(), weights({6, 1, 1})}, {}, {}},
      {"", "Resize", {no_images(), absent(), numbers({1, 1, 2, 2})}, {{"mode", std::string("linear")}}, {}},
      {"", "DepthToSpace", {image(1, {0, 8, 3, 3})}, {{"blocksize", std::int64_t{2}}}, {}},
      {"", "QuantizeLinear", {no_images(), number(0.1f)}, {}, {DType::kUint8}},
      {"", "Gemm", {floats({0, 5}), weights({5, 3})}, {}, {}},
      {"", "MatMul", {floats({0, 4, 5}), weights({5, 3})}, {}, {}},
  };
  expect_like_onnx_runtime(cases, 17);
}

TEST(EmptyTensors, MoveAndMeetOthers) {
  CLEAVE_NEEDS_ORT();
  const auto bytes = static_cast<std::int64_t>(DType::kUint8);
  const std::vector<OperatorCase> cases = {
      {"with an empty part", "Concat", {floats({2, 0, 3}), floats({2, 4, 3})}, {{"axis", std::int64_t{1}}}, {}},
      {"of nothing", "Concat", {floats({2, 0}), floats({2, 0})}, {{"axis", std::int64_t{0}}}, {}},
      {"to nothing", "Slice", {floats({4, 3}), integers({2}), integers({2}), integers({0})}, {}, {}},
      {"", "Transpose", {floats({2, 0, 3})}, {}, {}},
      {"", "Reshape", {floats({2, 0, 3}), integers({0, 5, -1})}, {}, {}},
      {"to zeros", "Reshape", {floats({2, 0, 3}), integers({3, 0})}, {{"allowzero", std::int64_t{1}}}, {}},
      {"", "Flatten", {floats({2, 0, 3})}, {}, {}},
      {"", "Unsqueeze", {floats({0, 3}), integers({1})}, {}, {}},
      {"around nothing", "Pad", {floats({0, 3}), integers({1, 0, 1, 0}), number(7)}, {}, {}},
      {"", "Tile", {floats({2, 3}), integers({0, 2})}, {}, {}},
      {"", "Expand", {floats({1, 3}), integers({0, 3})}, {}, {}},
      {"nothing", "Gather", {floats({4, 3}), integers({})}, {}, {}},
      {"nothing", "GatherElements", {floats({4, 3}), constant(Tensor(DType::kInt64, {0, 3}))}, {}, {}},
      {"",
       "Split",
       {floats({2, 3}), integers({0, 3})},
       {{"axis", std::int64_t{1}}},
       {DType::kFloat32, DType::kFloat32}},
      {"", "Where", {constant(Tensor(DType::kBool, {0, 1})), floats({1, 3}), floats({1, 1})}, {}, {DType::kFloat32}},
      {"", "Trilu", {floats({3, 0})}, {}, {}},
      {"", "CumSum", {floats({0, 3}), constant(Tensor::scalar<std::int64_t>(1))}, {}, {}},
      {"", "Cast", {floats({0, 3})}, {{"to", bytes}}, {DType::kUint8}},
      {"", "Shape", {floats({0, 3})}, {}, {DType::kInt64}},
      {"", "Size", {floats({0, 3})}, {}, {DType::kInt64}},
      {"", "Not", {input(Tensor(DType::kBool, {0, 2}))}, {}, {}},
      {"", "Equal", {floats({0, 3}), floats({1, 3})}, {}, {DType::kBool}},
      {"", "OneHot", {input(Tensor(DType::kInt64, {0, 2})), integers({3}), numbers({0, 1})}, {}, {DType::kFloat32}},
  };
  expect_like_onnx_runtime(cases, 14);
}

TEST(EmptyTensors, SumToNothing) {
  CLEAVE_NEEDS_ORT();
  const std::vector<OperatorCase> cases = {
      {"of no products", "MatMul", {floats({3, 0}), floats({0, 4})}, {}, {}},
      {"of no products, and a bias", "Gemm", {floats({3, 0}), floats({0, 4}), floats({4})}, {}, {}},
      {"", "ReduceSum", {floats({3, 0}), integers({1})}, {}, {}},
      {"", "ReduceProd", {floats({3, 0})}, {{"axes", Integers{1}}}, {}},
      {"", "ReduceL2", {floats({3, 0})}, {{"axes", Integers{1}}}, {}},
      {"of another axis", "ReduceMax", {floats({0, 3})}, {{"axes", Integers{1}}}, {}},
      {"of another axis", "ArgMax", {floats({0, 3})}, {{"axis", std::int64_t{1}}}, {DType::kInt64}},
  };
  expect_like_onnx_runtime(cases, 13);
}

TEST(EmptyTensors, AreTakenWhereANetworkShallOnlyRun) {
  const graph::Graph graph = testing::TextNetwork(R"(
    agraph (float[n,3] x) => (float[m,3] y) {
      y = Relu(x)
    })")
                                 .model()
                                 .graph();
  graph::PrepareOptions options;
  options.input_shapes["x"] = {0, 3};
  EXPECT_THROW(graph::prepare(graph, options), Error);
  options.data_dependent = graph::DataDependentShapes::kAccept;
  const graph::Graph prepared = graph::prepare(graph, options);
  EXPECT_EQ(Session(prepared).run(std::vector<Tensor>{Tensor(DType::kFloat32, {0, 3})})[0].shape(), (Shape{0, 3}));
}

}  // namespace
}  // namespace cleave::exec
