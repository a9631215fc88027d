#include "core/tensor.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/check.h"
#include "core/error.h"

namespace cleave {

namespace {

struct TypeRow {
  DType dtype;
  std::string_view name;
  std::size_t bytes;
};

constexpr std::array<TypeRow, 16> kTypes{{{DType::kFloat32, "float32", 4},
                                          {DType::kUint8, "uint8", 1},
                                          {DType::kInt8, "int8", 1},
                                          {DType::kUint16, "uint16", 2},
                                          {DType::kInt16, "int16", 2},
                                          {DType::kInt32, "int32", 4},
                                          {DType::kInt64, "int64", 8},
                                          {DType::kString, "str", 0},
                                          {DType::kBool, "bool", 1},
                                          {DType::kFloat16, "float16", 2},
                                          {DType::kFloat64, "float64", 8},
                                          {DType::kUint32, "uint32", 4},
                                          {DType::kUint64, "uint64", 8},
                                          {DType::kBfloat16, "bfloat16", 2},
                                          {DType::kUint4, "uint4", 0},
                                          {DType::kInt4, "int4", 0}}};

constexpr std::size_t kAlignment = 64;

bool is_held(DType dtype) {
  return dtype_bytes(dtype) > 0 || is_packed(dtype);
}

}  // namespace

std::size_t dtype_bytes(DType dtype) {
  for (const TypeRow& row : kTypes) {
    if (row.dtype == dtype) return row.bytes;
  }
  return 0;
}

std::size_t storage_bytes(DType dtype, std::int64_t elements) {
  const auto count = static_cast<std::size_t>(elements);
  return is_packed(dtype) ? (count + 1) / 2 : count * dtype_bytes(dtype);
}

std::string_view dtype_name(DType dtype) {
  for (const TypeRow& row : kTypes) {
    if (row.dtype == dtype) return row.name;
  }
  return "undefined";
}

DType dtype_from_name(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.dtype;
  }
  return DType::kUndefined;
}

std::int64_t element_count(const Shape& shape) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 62;
  std::int64_t count = 1;
  bool zero = false;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) throw Error(ErrorKind::kInvalidInput, "negative dimension in shape " + shape_text(shape));
    if (dimension == 0) {
      zero = true;
      continue;
    }
    if (count > kLimit / dimension) {
      throw Error(ErrorKind::kInvalidInput, "shape " + shape_text(shape) + " has more elements than 64 bits can count");
    }
    count *= dimension;
  }
  return zero ? 0 : count;
}

std::string shape_text(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const std::int64_t dimension : shape) text += (text.empty() ? "" : "x") + std::to_string(dimension);
  return text;
}

Tensor::Tensor(DType dtype, Shape shape)
    : dtype_(dtype), shape_(std::move(shape)), elements_(element_count(shape_)), writable_(true) {
  if (!is_held(dtype)) {
    throw Error(ErrorKind::kUnsupported, "tensors of type " + std::string(dtype_name(dtype)) + " are not supported");
  }
  if (elements_ > (std::int64_t{1} << 40)) {
    throw Error(ErrorKind::kInvalidInput, "a tensor of shape " + shape_text(shape_) + " does not fit in memory");
  }
  const std::size_t size = (bytes() + kAlignment) / kAlignment * kAlignment;
  void* block = std::aligned_alloc(kAlignment, size);
  if (block == nullptr) throw std::bad_alloc();
  std::memset(block, 0, size);
  owner_ = std::shared_ptr<void>(block, std::free);
  data_ = static_cast<const std::byte*>(block);
}

Tensor::Tensor(DType dtype, Shape shape, std::span<const std::byte> data, std::shared_ptr<const void> owner)
    : dtype_(dtype),
      shape_(std::move(shape)),
      elements_(element_count(shape_)),
      owner_(std::move(owner)),
      data_(data.data()) {
  if (!is_held(dtype) || data.size() != storage_bytes(dtype, elements_)) {
    throw Error(ErrorKind::kInvalidInput, "a tensor of type " + std::string(dtype_name(dtype)) + " and shape " +
                                              shape_text(shape_) + " cannot have " + std::to_string(data.size()) +
                                              " bytes");
  }
}

std::span<std::byte> Tensor::mutable_raw() {
  CLEAVE_CHECK(writable_ || elements_ == 0, "only a tensor made by its maker may be written");
  return {const_cast<std::byte*>(data_), bytes()};
}

Tensor Tensor::reshaped(Shape shape) const {
  CLEAVE_CHECK(element_count(shape) == elements_, "reshaping keeps the number of elements");
  Tensor result = *this;
  result.shape_ = std::move(shape);
  return result;
}

Tensor Tensor::clone() const {
  Tensor copy(dtype_, shape_);
  if (elements_ > 0) std::memcpy(copy.mutable_raw().data(), data_, bytes());
  return copy;
}

void Tensor::require(DType wanted) const {
  CLEAVE_CHECK(dtype_ == wanted, "typed access must match the element type");
}

}  // namespace cleave
