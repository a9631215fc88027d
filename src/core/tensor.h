#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cleave {

/// Element types, numbered as in ONNX TensorProto.DataType.
enum class DType : std::int32_t {
  kUndefined = 0,
  kFloat32 = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUint32 = 12,
  kUint64 = 13,
  kBfloat16 = 16,
  kUint4 = 21,  ///< two to a byte, the first in the low half
  kInt4 = 22,   ///< the same, two's complement
};

/// Bytes of one element; 0 for strings, for 4-bit types, and for types that cleave does not hold in memory.
std::size_t dtype_bytes(DType dtype);
/// True for kUint4 and kInt4, whose elements have no address of their own.
constexpr bool is_packed(DType dtype) {
  return dtype == DType::kUint4 || dtype == DType::kInt4;
}
/// Bytes that `elements` of a type take together; 0 for types that cleave does not hold in memory.
std::size_t storage_bytes(DType dtype, std::int64_t elements);
/// numpy's name: "float32", "uint8", "bool", ...; "undefined" for others.
std::string_view dtype_name(DType dtype);
/// Inverse of dtype_name; kUndefined when unknown.
DType dtype_from_name(std::string_view name);

/// Dimensions, outermost first; all known and >= 0. An empty shape is a scalar.
using Shape = std::vector<std::int64_t>;

/// Product of the dimensions. Throws Error(kInvalidInput) when a dimension is negative or the product needs more
/// than 62 bits.
std::int64_t element_count(const Shape& shape);
/// "1x3x224x224"; "scalar" for an empty shape.
std::string shape_text(const Shape& shape);

template <typename T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<float>() {
  return DType::kFloat32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::kFloat64;
}
template <>
constexpr DType dtype_of<std::uint8_t>() {
  return DType::kUint8;
}
template <>
constexpr DType dtype_of<std::int8_t>() {
  return DType::kInt8;
}
template <>
constexpr DType dtype_of<std::uint16_t>() {
  return DType::kUint16;
}
template <>
constexpr DType dtype_of<std::int16_t>() {
  return DType::kInt16;
}
template <>
constexpr DType dtype_of<std::uint32_t>() {
  return DType::kUint32;
}
template <>
constexpr DType dtype_of<std::int32_t>() {
  return DType::kInt32;
}
template <>
constexpr DType dtype_of<std::uint64_t>() {
  return DType::kUint64;
}
template <>
constexpr DType dtype_of<std::int64_t>() {
  return DType::kInt64;
}
template <>
constexpr DType dtype_of<bool>() {
  return DType::kBool;
}

/// A dense row-major array. Copies share the bytes; mutable_data() is for the maker, before the tensor is shared.
class Tensor {
 public:
  Tensor() = default;
  /// Zero-filled, 64-byte aligned. Throws Error(kInvalidInput) on overflow or a type without a fixed element size.
  Tensor(DType dtype, Shape shape);
  /// Borrows bytes that `owner` keeps alive (a mapped file, a parsed model). `data` may be unaligned only if
  /// the type is one byte wide; otherwise use a copy. Throws Error(kInvalidInput) unless size matches.
  Tensor(DType dtype, Shape shape, std::span<const std::byte> data, std::shared_ptr<const void> owner);
  /// Copies values. T is one of the types of dtype_of; the count must equal the shape's.
  template <typename T>
  static Tensor from(Shape shape, std::span<const T> values);
  template <typename T>
  static Tensor from(Shape shape, const std::vector<T>& values) {
    return from<T>(std::move(shape), std::span<const T>(values));
  }
  template <typename T>
  static Tensor scalar(T value) {
    return from<T>(Shape{}, std::span<const T>(&value, 1));
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::int64_t elements() const { return elements_; }
  std::size_t bytes() const { return storage_bytes(dtype_, elements_); }
  bool empty() const { return dtype_ == DType::kUndefined; }

  std::span<const std::byte> raw() const { return {data_, bytes()}; }
  std::span<std::byte> mutable_raw();
  /// True when it may be written and no other tensor shares its bytes, so that writing shows nowhere else.
  bool is_unshared() const { return writable_ && owner_.use_count() == 1; }

  /// Typed view; T must match dtype() (checked).
  template <typename T>
  std::span<const T> data() const {
    require(dtype_of<T>());
    return {reinterpret_cast<const T*>(data_), static_cast<std::size_t>(elements_)};
  }
  template <typename T>
  std::span<T> mutable_data() {
    require(dtype_of<T>());
    return {reinterpret_cast<T*>(mutable_raw().data()), static_cast<std::size_t>(elements_)};
  }

  /// The same bytes under another shape of equal element count.
  Tensor reshaped(Shape shape) const;
  /// A copy with bytes of its own.
  Tensor clone() const;

 private:
  void require(DType wanted) const;
  DType dtype_ = DType::kUndefined;
  Shape shape_;
  std::int64_t elements_ = 0;
  std::shared_ptr<const void> owner_;
  const std::byte* data_ = nullptr;
  bool writable_ = false;
};

template <typename T>
Tensor Tensor::from(Shape shape, std::span<const T> values) {
  Tensor tensor(dtype_of<T>(), std::move(shape));
  const std::span<T> target = tensor.mutable_data<T>();
  if (target.size() != values.size()) return Tensor(dtype_of<T>(), tensor.shape(), std::as_bytes(values), nullptr);
  for (std::size_t i = 0; i < values.size(); ++i) target[i] = values[i];
  return tensor;
}

}  // namespace cleave
