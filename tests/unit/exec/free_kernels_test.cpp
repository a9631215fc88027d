#include <gtest/gtest.h>

#include "exec/kernels/operator_table.h"
#include "operator_cases.h"
#include "support/error_kind.h"

namespace cleave::exec {
namespace {

using graph::TensorId;
using testing::Attributes;
using testing::Integers;

std::vector<Tensor> run_free(const std::string& op, const std::vector<Tensor>& inputs,
                             const Attributes& attributes = {}, std::size_t outputs = 1) {
  graph::Node node;
  node.name = "under_test";
  node.op = op;
  node.attributes = attributes;
  node.outputs.assign(outputs, TensorId{0});
  std::vector<InputView> views;
  for (const Tensor& tensor : inputs) views.push_back(tensor.empty() ? InputView{} : view_of(tensor));
  return find_operator(op)->free_kernel({node, views, {}});
}

Tensor floats(const Shape& shape, const std::vector<float>& values) {
  return Tensor::from<float>(shape, values);
}

Tensor bools(const std::vector<int>& values) {
  Tensor tensor(DType::kBool, {static_cast<std::int64_t>(values.size())});
  for (std::size_t i = 0; i < values.size(); ++i) tensor.mutable_data<bool>()[i] = values[i] != 0;
  return tensor;
}

Integers integers_in(const Tensor& tensor) {
  return {tensor.data<std::int64_t>().begin(), tensor.data<std::int64_t>().end()};
}

TEST(NonZero, ListsPositionsAxisByAxis) {
  const Tensor result = run_free("NonZero", {floats({2, 3}, {0, 5, 0, -1, 0, 2})})[0];
  EXPECT_EQ(result.shape(), (Shape{2, 3}));
  EXPECT_EQ(integers_in(result), (Integers{0, 1, 1, 1, 0, 2}));
}

TEST(NonZero, TakesNegativeZeroOfHalfPrecisionForZero) {
  Tensor halves(DType::kFloat16, {3});
  const std::vector<std::uint16_t> bits = {0x8000, 0x3c00, 0x0000};
  std::copy_n(reinterpret_cast<const std::byte*>(bits.data()), 6, halves.mutable_raw().data());
  EXPECT_EQ(integers_in(run_free("NonZero", {halves})[0]), (Integers{1}));
}

TEST(NonZero, OfAScalarHasNoRows) {
  EXPECT_EQ(run_free("NonZero", {Tensor::scalar(3.0f)})[0].shape(), (Shape{0, 1}));
}

TEST(Compress, KeepsSlicesWhereTheConditionHolds) {
  const Tensor x = floats({3, 2}, {1, 2, 3, 4, 5, 6});
  const Tensor rows = run_free("Compress", {x, bools({0, 1, 1})}, {{"axis", std::int64_t{0}}})[0];
  EXPECT_EQ(rows.shape(), (Shape{2, 2}));
  EXPECT_EQ(rows.data<float>()[0], 3);
  const Tensor flat = run_free("Compress", {x, bools({0, 1, 0, 0, 1})})[0];
  EXPECT_EQ(flat.shape(), (Shape{2}));
  EXPECT_EQ(flat.data<float>()[1], 5);
}

TEST(Compress, RefusesAConditionThatReachesPastTheAxis) {
  const Tensor x = floats({2}, {1, 2});
  EXPECT_EQ(cleave::testing::kind_of([&] { run_free("Compress", {x, bools({0, 0, 1})}); }), ErrorKind::kInvalidInput);
  EXPECT_EQ(run_free("Compress", {x, bools({0, 1, 0})})[0].elements(), 1);
}

TEST(Unique, GivesFirstPositionsInverseAndCounts) {
  const Tensor x = floats({6}, {2, 1, 1, 3, 4, 3});
  const auto sorted = run_free("Unique", {x}, {}, 4);
  EXPECT_EQ(integers_in(sorted[1]), (Integers{1, 0, 3, 4}));
  EXPECT_EQ(integers_in(sorted[2]), (Integers{1, 0, 0, 2, 3, 2}));
  EXPECT_EQ(integers_in(sorted[3]), (Integers{2, 1, 2, 1}));
  const auto in_order = run_free("Unique", {x}, {{"sorted", std::int64_t{0}}}, 4);
  EXPECT_EQ(integers_in(in_order[1]), (Integers{0, 1, 3, 4}));
  EXPECT_EQ(integers_in(in_order[2]), (Integers{0, 1, 1, 2, 3, 2}));
}

TEST(Unique, ComparesSlicesAlongAnAxis) {
  const auto columns = run_free("Unique", {floats({2, 3}, {1, 0, 1, 2, 9, 2})}, {{"axis", std::int64_t{-1}}}, 2);
  EXPECT_EQ(columns[0].shape(), (Shape{2, 2}));
  EXPECT_EQ(integers_in(columns[1]), (Integers{1, 0}));
}

TEST(NonMaxSuppression, KeepsTheBestOfOverlappingBoxes) {
  const Tensor boxes = floats({1, 3, 4}, {0, 0, 1, 1, 1, 1.1f, 0, 0.1f, 0, 10, 1, 11});
  const Tensor scores = floats({1, 1, 3}, {0.75f, 0.9f, 0.5f});
  const auto most = Tensor::scalar<std::int64_t>(3);
  const auto overlap = Tensor::scalar(0.5f);
  EXPECT_EQ(integers_in(run_free("NonMaxSuppression", {boxes, scores, most, overlap})[0]),
            (Integers{0, 0, 1, 0, 0, 2}));
  const auto above = Tensor::scalar(0.6f);
  EXPECT_EQ(integers_in(run_free("NonMaxSuppression", {boxes, scores, most, overlap, above})[0]), (Integers{0, 0, 1}));
  EXPECT_EQ(run_free("NonMaxSuppression", {boxes, scores})[0].shape(), (Shape{0, 3}));
}

}  // namespace
}  // namespace cleave::exec
