#include "exec/kernels/half.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "exec/kernels/operator_table.h"
#include "exec/kernels/widen.h"
#include "random_tensor.h"

namespace cleave::exec {
namespace {

/// The value of float16 bits by the definition of IEEE 754: 1 sign, 5 exponent (bias 15), 10 mantissa bits.
double defined_float16(std::uint16_t bits) {
  const double sign = (bits & 0x8000U) != 0 ? -1 : 1;
  const int exponent = bits >> 10 & 0x1F;
  const int mantissa = bits & 0x3FF;
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(mantissa + 1024, exponent - 25);
}

bool is_finite_float16(std::uint16_t bits) {
  return (bits & 0x7C00U) != 0x7C00U;
}

TEST(Half, EveryFiniteFloat16HasItsDefinedValueAndComesBack) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    if (!is_finite_float16(half)) continue;
    ASSERT_EQ(static_cast<double>(from_float16(half)), defined_float16(half)) << bits;
    ASSERT_EQ(to_float16(from_float16(half)), half);
  }
}

TEST(Half, Float16IsRoundedToTheNearestHalfToEven) {
  // Between each two neighbours: below, at and above the middle.
  for (std::uint32_t bits = 0; bits < 0x7BFF; ++bits) {
    const auto low = static_cast<std::uint16_t>(bits);
    const auto high = static_cast<std::uint16_t>(bits + 1);
    const auto middle = static_cast<float>((defined_float16(low) + defined_float16(high)) / 2);  // exact
    ASSERT_EQ(to_float16(middle), bits % 2 == 0 ? low : high) << bits;
    ASSERT_EQ(to_float16(std::nextafter(middle, 0.0F)), low) << bits;
    ASSERT_EQ(to_float16(std::nextafter(middle, 1e9F)), high) << bits;
    ASSERT_EQ(to_float16(-middle), (bits % 2 == 0 ? low : high) | 0x8000U) << bits;
  }
}

TEST(Half, Float16BeyondItsRangeIsInfiniteAndNaNStaysNaN) {
  EXPECT_EQ(to_float16(65519.9F), 0x7BFF);
  EXPECT_EQ(to_float16(65520.0F), 0x7C00);
  EXPECT_EQ(to_float16(-std::numeric_limits<float>::infinity()), 0xFC00);
  EXPECT_TRUE(std::isinf(from_float16(0x7C00)));
  EXPECT_TRUE(std::isnan(from_float16(to_float16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(Half, Bfloat16IsRoundedToTheNearestHalfToEven) {
  // 1 + k / 256 lies on a bfloat16 for even k and in the middle for odd k; by hand:
  EXPECT_EQ(to_bfloat16(1.0F), 0x3F80);
  EXPECT_EQ(to_bfloat16(1.0F + 1.0F / 256), 0x3F80);
  EXPECT_EQ(to_bfloat16(1.0F + 3.0F / 256), 0x3F82);
  EXPECT_EQ(to_bfloat16(std::nextafter(1.0F + 1.0F / 256, 2.0F)), 0x3F81);
  EXPECT_EQ(to_bfloat16(std::numeric_limits<float>::max()), 0x7F80);
  EXPECT_TRUE(std::isnan(from_bfloat16(to_bfloat16(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_EQ(from_bfloat16(0xC049), -3.140625F);
}

TEST(Half, Float64IsRoundedOnce) {
  // 1 + 2^-11 lies in the middle of two float16; a little more must go up, though float32 does not see the little.
  const double above = 1 + std::ldexp(1, -11) + std::ldexp(1, -40);
  EXPECT_EQ(to_float16(static_cast<float>(above)), 0x3C00);
  EXPECT_EQ(to_float16(rounded_to_odd(above)), 0x3C01);
  const double below = 1 + 3 * std::ldexp(1, -11) - std::ldexp(1, -40);
  EXPECT_EQ(to_float16(static_cast<float>(below)), 0x3C02);
  EXPECT_EQ(to_float16(rounded_to_odd(below)), 0x3C01);
  EXPECT_EQ(to_float16(rounded_to_odd(1e300)), 0x7C00);
  EXPECT_EQ(to_float16(rounded_to_odd(-0.0)), 0x8000);
}

Tensor narrowed(const Tensor& floats, DType dtype) {
  Tensor result(dtype, floats.shape());
  narrow(floats.data<float>().data(),
         {dtype, floats.shape(), strides_of(floats.shape(), Layout::kPlain), result.mutable_raw().data()});
  return result;
}

Tensor widened_values(const Tensor& halves) {
  Tensor result(DType::kFloat32, halves.shape());
  widen(view_of(halves), result.mutable_data<float>().data());
  return result;
}

/// The first output of an operator's reference kernel.
Tensor made_by(const std::string& op, const std::vector<Tensor>& inputs,
               const std::map<std::string, graph::AttributeValue>& attributes, const Shape& shape) {
  graph::Node node;
  node.op = op;
  node.attributes = attributes;
  Tensor result(inputs[0].dtype(), shape);
  std::vector<InputView> views;
  for (const Tensor& tensor : inputs) views.push_back(view_of(tensor));
  const std::vector<OutputView> outputs = {
      {result.dtype(), shape, strides_of(shape, Layout::kPlain), result.mutable_raw().data()}};
  find_operator(op)->reference({node, views, outputs});
  return result;
}

TEST(Half, OperatorsComputeInFloat32AndRoundOnce) {
  using testing::random_floats;
  const Tensor steps = random_floats({3, 2, 4}, 1);
  const Tensor image = random_floats({1, 4, 5, 6}, 2);
  const Tensor scales = random_floats({4}, 3, 0.5, 1);
  struct Case {
    std::string op;
    std::vector<Tensor> inputs;
    std::map<std::string, graph::AttributeValue> attributes;
    Shape shape;
  };
  const std::vector<Case> cases = {
      {"RNN", {steps, random_floats({1, 5, 4}, 4), random_floats({1, 5, 5}, 5)}, {}, {3, 1, 2, 5}},
      {"GRU", {steps, random_floats({1, 15, 4}, 4), random_floats({1, 15, 5}, 5)}, {}, {3, 1, 2, 5}},
      {"LSTM", {steps, random_floats({1, 20, 4}, 4), random_floats({1, 20, 5}, 5)}, {}, {3, 1, 2, 5}},
      {"GroupNormalization", {image, scales, scales}, {{"num_groups", std::int64_t{2}}}, {1, 4, 5, 6}},
      {"MaxRoiPool",
       {image, Tensor::from<float>({1, 5}, {0, 0, 1, 4, 3})},
       {{"pooled_shape", std::vector<std::int64_t>{2, 2}}},
       {1, 4, 2, 2}},
      {"DFT", {random_floats({1, 6, 2}, 6)}, {}, {1, 6, 2}},
  };
  for (const DType dtype : {DType::kFloat16, DType::kBfloat16}) {
    for (const Case& c : cases) {
      std::vector<Tensor> halves;
      std::vector<Tensor> floats;
      for (const Tensor& input : c.inputs) {
        halves.push_back(narrowed(input, dtype));
        floats.push_back(widened_values(halves.back()));
      }
      const Tensor made = made_by(c.op, halves, c.attributes, c.shape);
      const Tensor expected = narrowed(made_by(c.op, floats, c.attributes, c.shape), dtype);
      EXPECT_TRUE(std::equal(made.raw().begin(), made.raw().end(), expected.raw().begin())) << c.op;
    }
  }
}

}  // namespace
}  // namespace cleave::exec
