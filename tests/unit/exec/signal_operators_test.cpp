#include <gtest/gtest.h>

#include "exec/session.h"
#include "operator_cases.h"
#include "random_tensor.h"
#include "support/ort.h"
#include "text_network.h"

namespace cleave::exec {
namespace {

using testing::absent;
using testing::constant;
using testing::expect_like_onnx_runtime;
using testing::input;
using testing::Operand;
using testing::OperatorCase;
using testing::random_floats;
using testing::random_tensor;

constexpr std::int64_t kOne = 1;

template <typename T>
Operand value(T number) {
  return constant(Tensor::scalar<T>(number));
}

TEST(Operators, FourierTransformsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto signal = [](const Shape& shape) { return input(random_floats(shape, 3)); };
  const Operand cut = value<std::int64_t>(5);
  const Operand padded = value<std::int64_t>(16);
  const std::vector<OperatorCase> cases = {
      {"real", "DFT", {signal({2, 12, 1})}, {{"axis", kOne}}, {}},
      {"complex", "DFT", {signal({2, 12, 2})}, {{"axis", kOne}}, {}},
      {"inverse", "DFT", {signal({2, 12, 2})}, {{"axis", kOne}, {"inverse", kOne}}, {}},
      {"one side", "DFT", {signal({2, 12, 1})}, {{"axis", kOne}, {"onesided", kOne}}, {}},
      {"one side of an odd length", "DFT", {signal({2, 11, 1})}, {{"axis", kOne}, {"onesided", kOne}}, {}},
      {"cut off", "DFT", {signal({2, 12, 2}), cut}, {{"axis", kOne}}, {}},
      {"padded", "DFT", {signal({2, 12, 1}), padded}, {{"axis", kOne}}, {}},
      {"rows of a picture", "DFT", {signal({2, 6, 9, 1})}, {{"axis", kOne}}, {}},
      {"columns of a picture", "DFT", {signal({2, 6, 9, 2})}, {{"axis", std::int64_t{2}}}, {}},
      {"float64", "DFT", {input(random_tensor(DType::kFloat64, {1, 7, 2}, 4, -1, 1))}, {{"axis", kOne}}, {}},
  };
  expect_like_onnx_runtime(cases, 17);
}

TEST(Operators, FourierTransformsOfOpset20TakeTheirAxisAsAnInput) {
  CLEAVE_NEEDS_ORT();
  const auto signal = [](const Shape& shape) { return input(random_floats(shape, 3)); };
  const std::vector<OperatorCase> cases = {
      {"without", "DFT", {signal({2, 12, 1})}, {}, {}},
      {"from the back", "DFT", {signal({2, 6, 9, 2}), absent(), value<std::int64_t>(-3)}, {}, {}},
      {"with a length", "DFT", {signal({2, 6, 9, 1}), value<std::int64_t>(8), value<std::int64_t>(2)}, {}, {}},
      {"one side", "DFT", {signal({2, 6, 9, 1}), absent(), value<std::int64_t>(1)}, {{"onesided", kOne}}, {}},
  };
  expect_like_onnx_runtime(cases, 20);
}

TEST(Operators, ShortTimeTransformsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto signal = [](const Shape& shape) { return input(random_floats(shape, 3)); };
  const Operand step = value<std::int64_t>(5);
  const Operand length = value<std::int64_t>(16);
  const Operand window = input(random_floats({16}, 5, 0.1, 1));
  const std::int64_t zero = 0;
  const std::vector<OperatorCase> cases = {
      {"length", "STFT", {signal({2, 64, 1}), step, absent(), length}, {}, {}},
      {"window", "STFT", {signal({2, 64, 1}), step, window}, {}, {}},
      {"both", "STFT", {signal({2, 67, 1}), step, window, length}, {}, {}},
      {"both sides", "STFT", {signal({2, 64, 1}), step, window}, {{"onesided", zero}}, {}},
  };
  expect_like_onnx_runtime(cases, 17);
}

/// ONNX Runtime counts the frames of a complex signal in numbers instead of samples; a transform is linear.
TEST(Operators, ShortTimeTransformsOfComplexSignalsAreThoseOfTheirParts) {
  const graph::Graph graph = testing::TextNetwork(R"(
    agraph (float[1,40,2] z, float[1,40,1] re, float[1,40,1] im, float[8] window)
        => (float[1,n,8,2] whole, float[1,n,8,2] of_re, float[1,n,8,2] of_im) {
      step = Constant <value_int = 4> ()
      whole = STFT <onesided = 0> (z, step, window)
      of_re = STFT <onesided = 0> (re, step, window)
      of_im = STFT <onesided = 0> (im, step, window)
    })",
                                                  {}, 17)
                                 .graph();
  const Tensor re = random_floats({1, 40, 1}, 1);
  const Tensor im = random_floats({1, 40, 1}, 2);
  std::vector<float> both;
  for (std::size_t i = 0; i < 40; ++i) both.insert(both.end(), {re.data<float>()[i], im.data<float>()[i]});
  const std::vector<Tensor> inputs = {Tensor::from<float>({1, 40, 2}, both), re, im, random_floats({8}, 3)};
  const auto made = Session(graph).run(inputs);
  ASSERT_EQ(made[0].shape(), (Shape{1, 9, 8, 2}));
  const auto whole = made[0].data<float>();
  const auto a = made[1].data<float>();
  const auto b = made[2].data<float>();
  for (std::size_t i = 0; i < whole.size(); i += 2) {
    EXPECT_NEAR(whole[i], a[i] - b[i + 1], 1e-5) << i;
    EXPECT_NEAR(whole[i + 1], a[i + 1] + b[i], 1e-5) << i;
  }
}

TEST(Operators, WindowsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const std::int64_t zero = 0;
  const auto float64 = static_cast<std::int64_t>(DType::kFloat64);
  const auto int32 = static_cast<std::int64_t>(DType::kInt32);
  std::vector<OperatorCase> cases;
  for (const std::string op : {"HannWindow", "HammingWindow", "BlackmanWindow"}) {
    cases.push_back({"", op, {value<std::int64_t>(10)}, {}, {DType::kFloat32}});
    cases.push_back({"symmetric", op, {value<std::int32_t>(11)}, {{"periodic", zero}}, {DType::kFloat32}});
    cases.push_back({"double", op, {value<std::int64_t>(7)}, {{"output_datatype", float64}}, {DType::kFloat64}});
  }
  cases.push_back(
      {"cut to integers", "HannWindow", {value<std::int64_t>(4)}, {{"output_datatype", int32}}, {DType::kInt32}});
  expect_like_onnx_runtime(cases, 17, 1e-6);
}

TEST(Operators, MelWeightsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto mel = [](std::int64_t bands, std::int64_t dft_length, float low, float high) {
    return std::vector<Operand>{value(bands), value(dft_length), value<std::int64_t>(8192), value(low), value(high)};
  };
  const auto float64 = static_cast<std::int64_t>(DType::kFloat64);
  const std::vector<OperatorCase> cases = {
      {"", "MelWeightMatrix", mel(8, 16, 0, 4096), {}, {DType::kFloat32}},
      {"many bins", "MelWeightMatrix", mel(20, 512, 80, 3800), {}, {DType::kFloat32}},
      {"more bands than bins", "MelWeightMatrix", mel(40, 16, 20, 4000), {}, {DType::kFloat32}},
      {"double", "MelWeightMatrix", mel(6, 64, 100, 3000), {{"output_datatype", float64}}, {DType::kFloat64}},
  };
  expect_like_onnx_runtime(cases, 17);
}

}  // namespace
}  // namespace cleave::exec
