// Basic operators where ONNX's conformance data has no case: other element types, attributes and shapes.
#include <gtest/gtest.h>

#include "operator_cases.h"
#include "random_tensor.h"
#include "support/ort.h"

namespace cleave::exec {
namespace {

using testing::constant;
using testing::expect_like_onnx_runtime;
using testing::input;
using testing::integers;
using testing::OperatorCase;
using testing::random_floats;
using testing::random_tensor;

TEST(BasicOperators, EquationsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto floats = [](const Shape& shape, std::uint64_t seed) { return input(random_floats(shape, seed)); };
  const auto equation = [](const std::string& text) { return testing::Attributes{{"equation", text}}; };
  const std::vector<OperatorCase> cases = {
      {"attention", "Einsum", {floats({2, 3, 4, 5}, 1), floats({2, 3, 6, 5}, 2)}, equation("bhid,bhjd->bhij"), {}},
      {"windows", "Einsum", {floats({2, 4, 3}, 1), floats({4, 7, 3}, 2)}, equation("n q d , q k d -> n q k"), {}},
      {"implied output", "Einsum", {floats({2, 3}, 1), floats({3, 4}, 2)}, equation("ij,jk"), {}},
      {"any dimensions", "Einsum", {floats({2, 5, 3}, 1), floats({1, 3, 4}, 2)}, equation("...ij,...jk->...ik"), {}},
      {"three operands",
       "Einsum",
       {floats({2, 3}, 1), floats({3, 4}, 2), floats({4, 2}, 3)},
       equation("ij,jk,kl->il"),
       {}},
      {"trace", "Einsum", {floats({4, 4}, 1)}, equation("ii->"), {}},
  };
  expect_like_onnx_runtime(cases, 13);
}

TEST(BasicOperators, IntegersAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto bytes = [](std::uint64_t seed) { return input(random_tensor(DType::kUint8, {3, 40}, seed, 0, 255)); };
  const auto longs = [](std::uint64_t seed) { return input(random_tensor(DType::kInt64, {3, 40}, seed, -50, 50)); };
  const auto ints = [](std::uint64_t seed) { return input(random_tensor(DType::kInt32, {3, 40}, seed, -50, 50)); };
  const std::int64_t one = 1;
  const std::vector<OperatorCase> cases = {
      {"bytes", "Mod", {bytes(1), input(random_tensor(DType::kUint8, {3, 40}, 2, 1, 255))}, {}, {}},
      {"by 255", "Mod", {bytes(1), constant(Tensor::scalar<std::uint8_t>(255))}, {}, {}},
      {"bytes wrap", "Max", {bytes(1), bytes(2), bytes(3)}, {}, {}},
      {"longs", "Min", {longs(1), longs(2)}, {}, {}},
      {"longs", "CumSum", {longs(1), constant(Tensor::scalar<std::int64_t>(1))}, {{"reverse", one}}, {}},
      {"ints", "CumSum", {ints(1), constant(Tensor::scalar<std::int64_t>(0))}, {{"exclusive", one}}, {}},
      {"ints", "ReduceMax", {ints(1)}, {{"axes", testing::Integers{1}}}, {}},
      {"longs", "Abs", {longs(1)}, {}, {}},
      {"bytes",
       "Where",
       {input(random_tensor(DType::kBool, {3, 40}, 4, 0, 1)), bytes(1), bytes(2)},
       {},
       {DType::kUint8}},
  };
  expect_like_onnx_runtime(cases, 13, 0.0);
}

TEST(BasicOperators, MovementsAreOnnxRuntimes) {
  CLEAVE_NEEDS_ORT();
  const auto codes = [] { return input(random_tensor(DType::kUint8, {4, 5, 6}, 7, 0, 255)); };
  const std::int64_t one = 1;
  const auto sequence = [] { return constant(Tensor::from<std::int64_t>({5}, {1, 0, 4, 2, 3})); };
  const std::vector<OperatorCase> cases = {
      {"bytes", "ReverseSequence", {codes(), sequence()}, {{"batch_axis", one}, {"time_axis", std::int64_t{0}}}, {}},
      {"negative tuples",
       "GatherND",
       {codes(), constant(Tensor::from<std::int64_t>({2, 2}, {-1, 0, 3, -5}))},
       {},
       {DType::kUint8}},
      {"from behind",
       "Slice",
       {codes(), integers({-1, 100}), integers({-100, 0}), integers({0, 2}), integers({-3, -4})},
       {},
       {}},
  };
  expect_like_onnx_runtime(cases, 13, 0.0);
}

}  // namespace
}  // namespace cleave::exec
