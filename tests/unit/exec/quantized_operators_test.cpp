#include <gtest/gtest.h>

#include "exec/kernels/operator_table.h"
#include "operator_cases.h"
#include "random_tensor.h"
#include "support/ort.h"

namespace cleave::exec {
namespace {

using testing::absent;
using testing::Attributes;
using testing::constant;
using testing::expect_like_onnx_runtime;
using testing::input;
using testing::Integers;
using testing::number;
using testing::numbers;
using testing::Operand;
using testing::OperatorCase;
using testing::random_floats;
using testing::random_tensor;

template <typename T>
Operand values(const Shape& shape, const std::vector<T>& list) {
  return constant(Tensor::from<T>(shape, list));
}

Operand byte(std::uint8_t value) {
  return constant(Tensor::scalar(value));
}

Operand signed_byte(std::int8_t value) {
  return constant(Tensor::scalar(value));
}

Operand codes(DType dtype, const Shape& shape, std::uint64_t seed) {
  const bool is_signed = dtype == DType::kInt8 || dtype == DType::kInt16;
  const bool wide = dtype == DType::kInt16 || dtype == DType::kUint16;
  return input(random_tensor(dtype, shape, seed, is_signed ? (wide ? -999 : -128) : 0, wide ? 999 : 127));
}

/// 4-bit codes: every byte holds two.
Operand nibbles(DType dtype, const Shape& shape) {
  Tensor tensor(dtype, shape);
  std::uint32_t state = 7;
  for (std::byte& pair : tensor.mutable_raw()) {
    state = state * 1664525U + 1013904223U;
    pair = static_cast<std::byte>(state >> 24);
  }
  return constant(tensor);
}

const std::int64_t kOne = 1;

TEST(QuantizedOperators, ConvolutionsOfCodesAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto x = [] { return codes(DType::kUint8, {2, 4, 6, 5}, 1); };
  const auto w8 = constant(random_tensor(DType::kInt8, {6, 4, 3, 3}, 2, -90, 90));
  const auto w4 = constant(random_tensor(DType::kInt8, {6, 2, 3, 3}, 2, -90, 90));
  const auto wu = constant(random_tensor(DType::kUint8, {6, 4, 3, 3}, 2, 0, 255));
  const auto per_channel = numbers({0.01f, 0.02f, 0.03f, 0.005f, 0.04f, 0.01f});
  const auto zeros = values<std::int8_t>({6}, {0, 0, 0, 0, 0, 0});
  const auto bias = values<std::int32_t>({6}, {100, -2000, 30, 0, 7, -1});
  const std::vector<OperatorCase> cases = {
      {"per tensor",
       "QLinearConv",
       {x(), number(0.02f), byte(7), w8, number(0.01f), signed_byte(0), number(0.5f), byte(120)},
       {},
       {}},
      {"per channel, bias, pads, strides",
       "QLinearConv",
       {x(), number(0.02f), byte(7), w8, per_channel, zeros, number(0.5f), byte(120), bias},
       {{"pads", Integers{1, 0, 1, 2}}, {"strides", Integers{2, 1}}},
       {}},
      {"uint8 weights with a zero point",
       "QLinearConv",
       {x(), number(0.02f), byte(128), wu, number(0.01f), byte(99), number(0.5f), byte(0)},
       {},
       {}},
      {"groups, dilated, saturated",
       "QLinearConv",
       {x(), number(0.2f), byte(3), w4, number(0.1f), signed_byte(0), number(0.1f), byte(128)},
       {{"group", std::int64_t{2}}, {"dilations", Integers{2, 1}}},
       {}},
      {"int8",
       "QLinearConv",
       {codes(DType::kInt8, {1, 4, 6, 5}, 3), number(0.02f), signed_byte(-5), w8, number(0.01f), signed_byte(0),
        number(0.4f), signed_byte(9)},
       {},
       {}},
      {"integer", "ConvInteger", {x(), wu, byte(7), byte(130)}, {{"pads", Integers{1, 1, 1, 1}}}, {DType::kInt32}},
      {"integer without zero points", "ConvInteger", {x(), wu}, {{"auto_pad", "SAME_UPPER"}}, {DType::kInt32}},
  };
  expect_like_onnx_runtime(cases);
}

TEST(QuantizedOperators, MatrixProductsOfCodesAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto a = codes(DType::kUint8, {2, 5, 7}, 1);
  const auto b = codes(DType::kInt8, {7, 4}, 2);
  const auto ub = codes(DType::kUint8, {2, 7, 4}, 2);
  const std::vector<OperatorCase> cases = {
      {"per tensor",
       "QLinearMatMul",
       {a, number(0.1f), byte(5), b, number(0.02f), signed_byte(3), number(2.0f), byte(100)},
       {},
       {}},
      {"uint8 stacks",
       "QLinearMatMul",
       {a, number(0.1f), byte(5), ub, number(0.02f), byte(77), number(2.0f), byte(100)},
       {},
       {}},
      {"per column",
       "QLinearMatMul",
       {a, number(0.1f), byte(5), b, numbers({0.02f, 0.1f, 0.003f, 0.5f}), values<std::int8_t>({4}, {0, 1, -2, 3}),
        number(2.0f), byte(100)},
       {},
       {}},
      {"integer", "MatMulInteger", {a, b, byte(5), signed_byte(-4)}, {}, {DType::kInt32}},
      {"integer per column",
       "MatMulInteger",
       {a, b, byte(5), values<std::int8_t>({4}, {0, 1, -2, 3})},
       {},
       {DType::kInt32}},
      {"integer without zero points", "MatMulInteger", {a, ub}, {}, {DType::kInt32}},
  };
  expect_like_onnx_runtime(cases);
}

TEST(QuantizedOperators, DynamicRangesAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto one_of = [](const std::vector<float>& list) {
    return input(Tensor::from<float>({static_cast<std::int64_t>(list.size())}, list));
  };
  const std::vector<DType> outputs = {DType::kUint8, DType::kFloat32, DType::kUint8};
  const std::vector<OperatorCase> cases = {
      {"both signs", "DynamicQuantizeLinear", {one_of({-1.5f, 0.25f, 2.75f, -0.8f})}, {}, outputs},
      {"above zero", "DynamicQuantizeLinear", {one_of({1.5f, 0.25f, 2.75f})}, {}, outputs},
      {"below zero", "DynamicQuantizeLinear", {one_of({-1.5f, -0.25f, -2.75f})}, {}, outputs},
      {"nothing but zeros", "DynamicQuantizeLinear", {one_of({0, 0})}, {}, outputs},
  };
  expect_like_onnx_runtime(cases);
}

TEST(QuantizedOperators, EveryTypeOfCodesIsRoundedAsOnnxRuntimeDoes) {
  CLEAVE_NEEDS_ORT();
  const auto x = [] { return input(random_floats({2, 6, 4}, 4)); };
  const auto blocks = constant(random_tensor(DType::kFloat32, {2, 3, 4}, 8, 1, 9));
  const Attributes by_two = {{"axis", kOne}, {"block_size", std::int64_t{2}}};
  const std::vector<OperatorCase> cases = {
      {"int16",
       "QuantizeLinear",
       {x(), number(0.001f), constant(Tensor::scalar<std::int16_t>(-300))},
       {},
       {DType::kInt16}},
      {"uint16",
       "QuantizeLinear",
       {x(), number(0.0001f), constant(Tensor::scalar<std::uint16_t>(30000))},
       {},
       {DType::kUint16}},
      {"blocks", "QuantizeLinear", {x(), blocks, absent()}, by_two, {DType::kUint8}},
      {"blocks of int8",
       "QuantizeLinear",
       {x(), blocks, constant(random_tensor(DType::kInt8, {2, 3, 4}, 3, -9, 9))},
       by_two,
       {DType::kInt8}},
      {"int16 back",
       "DequantizeLinear",
       {codes(DType::kInt16, {3, 4}, 1), number(0.5f), constant(Tensor::scalar<std::int16_t>(7))},
       {},
       {DType::kFloat32}},
      {"uint16 back", "DequantizeLinear", {codes(DType::kUint16, {3, 4}, 1), number(0.5f)}, {}, {DType::kFloat32}},
      {"int32 back",
       "DequantizeLinear",
       {input(random_tensor(DType::kInt32, {3, 4}, 1, -99999, 99999)), numbers({0.5f, 2, 3}), absent()},
       {{"axis", std::int64_t{0}}},
       {DType::kFloat32}},
      {"blocks back", "DequantizeLinear", {codes(DType::kInt8, {2, 6, 4}, 5), blocks}, by_two, {DType::kFloat32}},
      {"int4 back", "DequantizeLinear", {nibbles(DType::kInt4, {3, 5}), number(0.5f)}, {}, {DType::kFloat32}},
      {"int4 back, zero point",
       "DequantizeLinear",
       {nibbles(DType::kInt4, {3, 5}), number(0.5f), nibbles(DType::kInt4, {})},
       {},
       {DType::kFloat32}},
      {"uint4 back, per axis",
       "DequantizeLinear",
       {nibbles(DType::kUint4, {3, 5}), numbers({0.5f, 1, 2}), nibbles(DType::kUint4, {3})},
       {{"axis", std::int64_t{0}}},
       {DType::kFloat32}},
      {"int4 back, blocks",
       "DequantizeLinear",
       {nibbles(DType::kInt4, {2, 6, 4}), blocks, nibbles(DType::kInt4, {2, 3, 4})},
       by_two,
       {DType::kFloat32}},
  };
  expect_like_onnx_runtime(cases, 21);
}

/// Codes of x at scale 0.1, two to a byte.
std::vector<int> nibbles_of(DType dtype, const std::vector<float>& x, const Tensor& zero_point) {
  graph::Node node;
  node.op = "QuantizeLinear";
  const Tensor numbers = Tensor::from<float>({static_cast<std::int64_t>(x.size())}, x);
  const Tensor scale = Tensor::scalar(0.1f);
  Tensor codes(dtype, numbers.shape());
  const std::vector<InputView> inputs = {view_of(numbers), view_of(scale),
                                         zero_point.empty() ? InputView{} : view_of(zero_point)};
  const std::vector<OutputView> outputs = {
      {dtype, codes.shape(), strides_of(codes.shape(), Layout::kPlain), codes.mutable_raw().data()}};
  find_operator("QuantizeLinear")->reference({node, inputs, outputs});
  std::vector<int> bytes;
  for (const std::byte byte : codes.raw()) bytes.push_back(static_cast<int>(byte));
  return bytes;
}

TEST(QuantizedOperators, FourBitCodesSaturateAndShareBytes) {
  // -8 (saturated), -3, 0, 7 (saturated), 2: low halves first.
  EXPECT_EQ(nibbles_of(DType::kInt4, {-1.0f, -0.31f, 0.04f, 0.9f, 0.21f}, {}), (std::vector<int>{0xd8, 0x70, 0x02}));
  Tensor three(DType::kUint4, {});
  three.mutable_raw()[0] = std::byte{3};
  // 0 (saturated), 5, 15 (saturated)
  EXPECT_EQ(nibbles_of(DType::kUint4, {-1.0f, 0.21f, 9.0f}, three), (std::vector<int>{0x50, 0x0f}));
}

}  // namespace
}  // namespace cleave::exec
