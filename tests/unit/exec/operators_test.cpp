#include <gtest/gtest.h>

#include <limits>

#include "operator_cases.h"
#include "random_tensor.h"
#include "support/ort.h"

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
using testing::OperatorCase;
using testing::random_floats;
using testing::random_tensor;
using testing::weights;

TEST(Operators, ConvolutionsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto bias = [](std::int64_t n) { return constant(random_floats({n}, 3)); };
  const auto w = weights({8, 6, 3, 3});
  const std::vector<OperatorCase> cases = {
      {"plain", "Conv", {image(), w, bias(8)}, {}, {}},
      {"strides, uneven pads", "Conv", {image(), w}, {{"strides", Integers{2, 1}}, {"pads", Integers{1, 0, 2, 1}}}, {}},
      {"dilated", "Conv", {image(), w}, {{"dilations", Integers{2, 2}}, {"pads", Integers{2, 2, 2, 2}}}, {}},
      {"SAME_UPPER", "Conv", {image(), w}, {{"auto_pad", "SAME_UPPER"}, {"strides", Integers{2, 2}}}, {}},
      {"SAME_LOWER", "Conv", {image(), w}, {{"auto_pad", "SAME_LOWER"}, {"strides", Integers{2, 2}}}, {}},
      {"even kernel SAME_LOWER", "Conv", {image(), weights({8, 6, 2, 4})}, {{"auto_pad", "SAME_LOWER"}}, {}},
      {"VALID", "Conv", {image(), w, bias(8)}, {{"auto_pad", "VALID"}, {"strides", Integers{3, 3}}}, {}},
      {"groups", "Conv", {image(), weights({9, 2, 3, 3}), bias(9)}, {{"group", std::int64_t{3}}}, {}},
      {"depthwise", "Conv", {image(), weights({6, 1, 3, 3})}, {{"group", std::int64_t{6}}}, {}},
      {"depthwise, multiplier 2", "Conv", {image(), weights({12, 1, 3, 3})}, {{"group", std::int64_t{6}}}, {}},
      {"one channel", "Conv", {image(4, {1, 1, 8, 8}), weights({4, 1, 3, 3})}, {}, {}},
      {"one pixel left", "Conv", {image(4, {1, 3, 4, 4}), weights({5, 3, 4, 4})}, {}, {}},
      {"1-D", "Conv", {image(5, {2, 4, 11}), weights({3, 4, 3})}, {{"pads", Integers{1, 1}}}, {}},
      {"3-D", "Conv", {image(6, {1, 3, 5, 6, 4}), weights({4, 3, 2, 3, 2})}, {{"strides", Integers{1, 2, 1}}}, {}},
      {"computed weights", "Conv", {image(), input(random_floats({8, 6, 3, 3}, 9))}, {}, {}},
      {"padding wider than the image",
       "Conv",
       {image(4, {1, 2, 3, 3}), weights({2, 2, 3, 3})},
       {{"pads", Integers{4, 4, 4, 4}}},
       {}},
  };
  expect_like_onnx_runtime(cases);
}

TEST(Operators, TransposedConvolutionsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto w = weights({6, 4, 3, 3});
  const std::vector<OperatorCase> cases = {
      {"plain", "ConvTranspose", {image(), w, constant(random_floats({4}, 3))}, {}, {}},
      {"strides and pads",
       "ConvTranspose",
       {image(), w},
       {{"strides", Integers{2, 3}}, {"pads", Integers{1, 0, 1, 2}}},
       {}},
      {"output padding",
       "ConvTranspose",
       {image(), w},
       {{"strides", Integers{2, 2}}, {"pads", Integers{1, 1, 1, 1}}, {"output_padding", Integers{1, 1}}},
       {}},
      {"output padding beyond",
       "ConvTranspose",
       {image(), w},
       {{"strides", Integers{2, 2}}, {"output_padding", Integers{1, 1}}},
       {}},
      {"SAME_UPPER", "ConvTranspose", {image(), w}, {{"strides", Integers{2, 2}}, {"auto_pad", "SAME_UPPER"}}, {}},
      {"SAME_LOWER", "ConvTranspose", {image(), w}, {{"strides", Integers{2, 2}}, {"auto_pad", "SAME_LOWER"}}, {}},
      {"output shape",
       "ConvTranspose",
       {image(), w},
       {{"strides", Integers{2, 2}}, {"output_shape", Integers{18, 14}}},
       {}},
      {"groups", "ConvTranspose", {image(), weights({6, 2, 3, 3})}, {{"group", std::int64_t{3}}}, {}},
      {"dilated", "ConvTranspose", {image(), w}, {{"dilations", Integers{2, 1}}}, {}},
      {"1-D", "ConvTranspose", {image(5, {1, 3, 5}), weights({3, 2, 4})}, {{"strides", Integers{2}}}, {}},
  };
  expect_like_onnx_runtime(cases);
}

TEST(Operators, ProductsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto matrix = [](const Shape& shape) { return input(random_floats(shape, 11)); };
  const std::int64_t one = 1;
  const std::vector<OperatorCase> cases = {
      {"plain", "Gemm", {matrix({3, 5}), weights({5, 4})}, {}, {}},
      {"transB, bias", "Gemm", {matrix({3, 5}), weights({4, 5}), weights({4})}, {{"transB", one}}, {}},
      {"transA, transB, alpha, beta",
       "Gemm",
       {matrix({5, 3}), weights({4, 5}), weights({1, 4})},
       {{"transA", one}, {"transB", one}, {"alpha", 0.5f}, {"beta", 2.0f}},
       {}},
      {"column bias", "Gemm", {matrix({3, 5}), weights({5, 4}), weights({3, 1})}, {}, {}},
      {"scalar bias", "Gemm", {matrix({3, 5}), weights({5, 4}), weights({1})}, {}, {}},
      {"matrix times constant", "MatMul", {matrix({2, 3, 5}), weights({5, 4})}, {}, {}},
      {"vector times constant", "MatMul", {matrix({5}), weights({5, 4})}, {}, {}},
      {"batches", "MatMul", {matrix({2, 1, 3, 5}), input(random_floats({3, 5, 4}, 5))}, {}, {}},
      {"vector on the right", "MatMul", {matrix({2, 3, 5}), input(random_floats({5}, 5))}, {}, {}},
      {"two vectors", "MatMul", {matrix({5}), input(random_floats({5}, 5))}, {}, {}},
      {"int32",
       "MatMul",
       {input(random_tensor(DType::kInt32, {3, 4}, 1, -9, 9)), input(random_tensor(DType::kInt32, {4, 2}, 2, -9, 9))},
       {},
       {}},
  };
  expect_like_onnx_runtime(cases);
}

TEST(Operators, PoolingIsOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const std::int64_t one = 1;
  std::vector<OperatorCase> cases;
  for (const std::string op : {"MaxPool", "AveragePool"}) {
    const Integers k = {3, 3};
    const Integers s = {2, 2};
    cases.push_back({"plain", op, {image()}, {{"kernel_shape", k}}, {}});
    cases.push_back({"pads", op, {image()}, {{"kernel_shape", k}, {"strides", s}, {"pads", Integers{1, 0, 1, 1}}}, {}});
    cases.push_back(
        {"ceil", op, {image(2, {1, 3, 8, 10})}, {{"kernel_shape", k}, {"strides", s}, {"ceil_mode", one}}, {}});
    cases.push_back({"ceil and pads",
                     op,
                     {image(2, {1, 3, 8, 10})},
                     {{"kernel_shape", k}, {"strides", s}, {"ceil_mode", one}, {"pads", Integers{1, 1, 1, 1}}},
                     {}});
    cases.push_back(
        {"SAME_UPPER", op, {image()}, {{"kernel_shape", k}, {"strides", s}, {"auto_pad", "SAME_UPPER"}}, {}});
    cases.push_back({"SAME_LOWER", op, {image()}, {{"kernel_shape", Integers{2, 2}}, {"auto_pad", "SAME_LOWER"}}, {}});
    cases.push_back({"1-D", op, {image(3, {2, 3, 9})}, {{"kernel_shape", Integers{4}}, {"strides", Integers{3}}}, {}});
    cases.push_back({"3-D", op, {image(3, {1, 2, 5, 4, 6})}, {{"kernel_shape", Integers{2, 2, 3}}}, {}});
  }
  cases.push_back(
      {"dilated", "MaxPool", {image()}, {{"kernel_shape", Integers{2, 3}}, {"dilations", Integers{2, 2}}}, {}});
  cases.push_back({"bytes",
                   "MaxPool",
                   {input(random_tensor(DType::kUint8, {1, 2, 6, 6}, 3, 0, 255))},
                   {{"kernel_shape", Integers{2, 2}}},
                   {}});
  cases.push_back({"padding counts",
                   "AveragePool",
                   {image()},
                   {{"kernel_shape", Integers{3, 3}}, {"pads", Integers{1, 1, 1, 1}}, {"count_include_pad", one}},
                   {}});
  cases.push_back({"padding counts, ceil",
                   "AveragePool",
                   {image(2, {1, 3, 8, 10})},
                   {{"kernel_shape", Integers{3, 3}},
                    {"pads", Integers{1, 1, 1, 1}},
                    {"strides", Integers{2, 2}},
                    {"count_include_pad", one},
                    {"ceil_mode", one}},
                   {}});
  cases.push_back({"p 3", "LpPool", {image()}, {{"kernel_shape", Integers{2, 2}}, {"p", std::int64_t{3}}}, {}});
  cases.push_back({"", "GlobalAveragePool", {image()}, {}, {}});
  cases.push_back({"", "GlobalMaxPool", {image()}, {}, {}});
  cases.push_back({"1-D", "GlobalAveragePool", {image(3, {2, 3, 9})}, {}, {}});
  expect_like_onnx_runtime(cases);
}

TEST(Operators, FunctionsOfOneValueAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto wide = [] { return input(random_floats({2, 8, 12, 11}, 21, -8, 8)); };
  const auto positive = [] { return input(random_floats({2, 8, 12, 11}, 22, 0.1, 5)); };
  std::vector<OperatorCase> cases;
  for (const std::string op : {"Relu", "Sigmoid", "Tanh",  "HardSwish", "Softplus",    "Softsign",
                               "Selu", "Elu",     "Celu",  "LeakyRelu", "HardSigmoid", "ThresholdedRelu",
                               "Abs",  "Neg",     "Sign",  "Exp",       "Erf",         "Sin",
                               "Cos",  "Ceil",    "Floor", "Round",     "Identity"}) {
    cases.push_back({"", op, {wide()}, {}, {}});
  }
  for (const std::string op : {"Log", "Sqrt", "Reciprocal"}) cases.push_back({"", op, {positive()}, {}, {}});
  cases.push_back({"alpha", "LeakyRelu", {wide()}, {{"alpha", 0.3f}}, {}});
  cases.push_back({"alpha", "Elu", {wide()}, {{"alpha", 0.7f}}, {}});
  cases.push_back({"alpha, beta", "HardSigmoid", {wide()}, {{"alpha", 0.15f}, {"beta", 0.4f}}, {}});
  cases.push_back(
      {"halves", "Round", {input(Tensor::from<float>({6}, {-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f}))}, {}, {}});
  cases.push_back({"int32", "Abs", {input(random_tensor(DType::kInt32, {40}, 3, -50, 50))}, {}, {}});
  cases.push_back({"int64", "Neg", {input(random_tensor(DType::kInt64, {40}, 3, -50, 50))}, {}, {}});
  cases.push_back({"", "Not", {input(random_tensor(DType::kBool, {5, 3}, 3))}, {}, {}});
  cases.push_back({"float", "Clip", {wide(), number(-1.5f), number(2.0f)}, {}, {}});
  cases.push_back({"upper only", "Clip", {wide(), absent(), number(2.0f)}, {}, {}});
  cases.push_back({"lower only", "Clip", {wide(), number(0.0f)}, {}, {}});
  cases.push_back({"bytes",
                   "Clip",
                   {input(random_tensor(DType::kUint8, {300}, 3, 0, 255)), constant(Tensor::scalar<std::uint8_t>(0)),
                    constant(Tensor::scalar<std::uint8_t>(15))},
                   {},
                   {}});
  cases.push_back({"per channel", "PRelu", {wide(), weights({8, 1, 1})}, {}, {}});
  expect_like_onnx_runtime(cases, 14);
}

TEST(Operators, ArithmeticWithBroadcastingIsOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  std::vector<OperatorCase> cases;
  const Shape big = {2, 8, 12, 11};
  for (const std::string op : {"Add", "Sub", "Mul", "Div", "Max", "Min"}) {
    cases.push_back({"same shape", op, {image(1, big), input(random_floats(big, 5, 0.5, 2))}, {}, {}});
    cases.push_back({"per channel", op, {image(1, big), constant(random_floats({8, 1, 1}, 5, 0.5, 2))}, {}, {}});
    cases.push_back(
        {"per channel, rank 4", op, {image(1, big), input(random_floats({1, 8, 1, 1}, 5, 0.5, 2))}, {}, {}});
    cases.push_back({"scalar", op, {image(1, big), constant(Tensor::scalar(1.5f))}, {}, {}});
    cases.push_back({"per pixel", op, {image(1, big), constant(random_floats({12, 11}, 5, 0.5, 2))}, {}, {}});
    cases.push_back({"narrow on the left", op, {image(6, {1, 8, 1, 1}), input(random_floats(big, 5, 0.5, 2))}, {}, {}});
    cases.push_back({"per row", op, {image(1, big), constant(random_floats({8, 12, 1}, 5, 0.5, 2))}, {}, {}});
    cases.push_back(
        {"both sides", op, {input(random_floats({3, 1, 4}, 1)), input(random_floats({5, 1}, 2, 0.5, 2))}, {}, {}});
    for (const DType dtype : {DType::kInt32, DType::kInt64, DType::kFloat64}) {
      cases.push_back({std::string(dtype_name(dtype)),
                       op,
                       {input(random_tensor(dtype, {4, 5}, 3, -40, 40)), input(random_tensor(dtype, {5}, 4, 1, 9))},
                       {},
                       {}});
    }
  }
  const auto bytes = [](std::uint64_t seed) { return input(random_tensor(DType::kUint8, {64}, seed, 1, 255)); };
  for (const std::string op : {"Add", "Sub", "Mul", "Div"})
    cases.push_back({"bytes wrap", op, {bytes(1), bytes(2)}, {}, {}});
  cases.push_back(
      {"int32",
       "Mod",
       {input(random_tensor(DType::kInt32, {50}, 3, -40, 40)), constant(Tensor::from<std::int32_t>({1}, {7}))},
       {},
       {}});
  cases.push_back(
      {"negative divisor",
       "Mod",
       {input(random_tensor(DType::kInt64, {50}, 3, -40, 40)), constant(Tensor::from<std::int64_t>({1}, {-7}))},
       {},
       {}});
  cases.push_back({"fmod", "Mod", {image(), number(0.3f)}, {{"fmod", std::int64_t{1}}}, {}});
  cases.push_back({"square", "Pow", {image(), number(2.0f)}, {}, {}});
  cases.push_back({"root", "Pow", {input(random_floats({20}, 3, 0.1, 4)), number(0.5f)}, {}, {}});
  cases.push_back({"integer exponent", "Pow", {input(random_floats({20}, 3)), integers({3})}, {}, {}});
  cases.push_back({"three", "Sum", {image(1), image(2), image(3)}, {}, {}});
  cases.push_back({"three", "Mean", {image(1), image(2), image(3)}, {}, {}});
  cases.push_back({"three, broadcast", "Max", {image(1), input(random_floats({6, 1, 1}, 5)), image(3)}, {}, {}});
  cases.push_back({"one", "Min", {image(1)}, {}, {}});
  expect_like_onnx_runtime(cases, 14);
}

TEST(Operators, ComparisonsAndChoicesAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  std::vector<OperatorCase> cases;
  const auto small = [](std::uint64_t seed, const Shape& shape) {
    return input(random_tensor(DType::kInt32, shape, seed, 0, 3));
  };
  for (const std::string op : {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"}) {
    cases.push_back({"int32", op, {small(1, {4, 5}), small(2, {5})}, {}, {DType::kBool}});
    cases.push_back({"float", op, {image(1), input(random_floats({6, 1, 1}, 3))}, {}, {DType::kBool}});
  }
  for (const std::string op : {"And", "Or", "Xor"}) {
    cases.push_back({"",
                     op,
                     {input(random_tensor(DType::kBool, {4, 5}, 1)), input(random_tensor(DType::kBool, {5}, 2))},
                     {},
                     {DType::kBool}});
  }
  cases.push_back({"float",
                   "Where",
                   {input(random_tensor(DType::kBool, {6, 1, 7}, 3)), image(1), number(0.25f)},
                   {},
                   {DType::kFloat32}});
  cases.push_back({"int64",
                   "Where",
                   {input(random_tensor(DType::kBool, {4, 1}, 3)),
                    input(random_tensor(DType::kInt64, {4, 5}, 4, -9, 9)), integers({7})},
                   {},
                   {DType::kInt64}});
  expect_like_onnx_runtime(cases);
}

TEST(Operators, NormalizationsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto vector = [](std::uint64_t seed, std::int64_t n) { return constant(random_floats({n}, seed, 0.2, 2)); };
  const Shape big = {2, 8, 12, 11};
  const std::vector<OperatorCase> cases = {
      {"image",
       "BatchNormalization",
       {image(1, big), vector(2, 8), vector(3, 8), vector(4, 8), vector(5, 8)},
       {{"epsilon", 1e-3f}},
       {}},
      {"matrix",
       "BatchNormalization",
       {image(1, {5, 4}), vector(2, 4), vector(3, 4), vector(4, 4), vector(5, 4)},
       {},
       {}},
      {"", "InstanceNormalization", {image(1, big), vector(2, 8), vector(3, 8)}, {}, {}},
      {"last axis", "LayerNormalization", {image(1, {4, 5, 7}), vector(2, 7), vector(3, 7)}, {}, {}},
      {"no bias",
       "LayerNormalization",
       {image(1, {4, 5, 7}), constant(random_floats({5, 7}, 3))},
       {{"axis", std::int64_t{1}}},
       {}},
      {"", "LRN", {image(1, big)}, {{"size", std::int64_t{5}}, {"alpha", 0.02f}, {"bias", 2.0f}}, {}},
      {"channels", "Softmax", {image(1, big)}, {{"axis", std::int64_t{1}}}, {}},
      {"last", "Softmax", {image(1, big)}, {}, {}},
      {"channels", "LogSoftmax", {image(1, big)}, {{"axis", std::int64_t{1}}}, {}},
  };
  expect_like_onnx_runtime(cases, 17);
}

}  // namespace
}  // namespace cleave::exec
