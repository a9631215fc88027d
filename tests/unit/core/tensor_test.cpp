#include "core/tensor.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace cleave {
namespace {

TEST(ElementCount, MultipliesDimensions) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({2, 3, 4}), 24);
  EXPECT_EQ(element_count({2, 0, 4}), 0);
}

TEST(ElementCount, RefusesShapesThatOverflow) {
  EXPECT_THROW(element_count({1LL << 40, 1LL << 40}), Error);
  EXPECT_THROW(element_count({0, 1LL << 62, 1LL << 62}), Error);
  EXPECT_THROW(element_count({-1, 3}), Error);
}

TEST(Tensor, PacksTwoFourBitElementsIntoAByte) {
  EXPECT_EQ(Tensor(DType::kInt4, {3, 3}).bytes(), 5U);
  EXPECT_EQ(Tensor(DType::kUint4, {}).bytes(), 1U);
  EXPECT_EQ(storage_bytes(DType::kFloat16, 3), 6U);
}

TEST(Tensor, StartsAtZeroAndIsAligned) {
  const Tensor tensor(DType::kFloat32, {3, 5});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.raw().data()) % 64, 0U);
  for (const float value : tensor.data<float>()) EXPECT_EQ(value, 0.0F);
}

TEST(Tensor, SharesBytesOnCopyAndNotOnClone) {
  Tensor tensor = Tensor::from<float>({2}, std::vector<float>{1, 2});
  const Tensor copy = tensor;
  const Tensor clone = tensor.clone();
  tensor.mutable_data<float>()[0] = 9;
  EXPECT_EQ(copy.data<float>()[0], 9);
  EXPECT_EQ(clone.data<float>()[0], 1);
}

TEST(Tensor, RefusesBorrowedBytesOfTheWrongSize) {
  const std::vector<std::byte> bytes(7);
  EXPECT_THROW(Tensor(DType::kFloat32, {2}, bytes, nullptr), Error);
}

TEST(Tensor, RefusesSizesThatNoMemoryHolds) {
  EXPECT_THROW(Tensor(DType::kFloat32, {1LL << 50}), Error);
}

TEST(DTypeName, RoundTripsForEveryHeldType) {
  for (const char* name : {"float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "bool", "float16",
                           "float64", "uint32", "uint64", "bfloat16"}) {
    EXPECT_EQ(dtype_name(dtype_from_name(name)), name);
    EXPECT_GT(dtype_bytes(dtype_from_name(name)), 0U);
  }
  EXPECT_EQ(dtype_from_name("complex"), DType::kUndefined);
}

}  // namespace
}  // namespace cleave
