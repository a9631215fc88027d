#pragma once

#include <type_traits>

#include "core/check.h"
#include "core/error.h"
#include "core/tensor.h"

namespace cleave::exec {

template <typename T>
struct TypeTag {
  using type = T;
};

/// Calls body(TypeTag<T>{}) for the T among Ts that `dtype` stands for.
/// Throws Error(kUnsupported) when it is none of them.
template <typename... Ts, typename Body>
void dispatch(DType dtype, Body&& body) {
  const bool known = ((dtype == dtype_of<Ts>() && (body(TypeTag<Ts>{}), true)) || ...);
  if (!known) {
    throw Error(ErrorKind::kUnsupported, "element type " + std::string(dtype_name(dtype)) + " is not supported there");
  }
}

template <typename Body>
void dispatch_integer(DType dtype, Body&& body) {
  dispatch<std::int32_t, std::int64_t, std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t,
           std::uint64_t>(dtype, body);
}

/// The same for every number type that kernels compute with.
template <typename Body>
void dispatch_number(DType dtype, Body&& body) {
  dispatch<float, double, std::int32_t, std::int64_t, std::uint8_t, std::int8_t, std::uint16_t, std::int16_t,
           std::uint32_t, std::uint64_t>(dtype, body);
}

/// Numbers and bool.
template <typename Body>
void dispatch_value(DType dtype, Body&& body) {
  dispatch<float, double, std::int32_t, std::int64_t, std::uint8_t, std::int8_t, std::uint16_t, std::int16_t,
           std::uint32_t, std::uint64_t, bool>(dtype, body);
}

/// For kernels that only move elements: T has `element_bytes` bytes (1, 2, 4 or 8).
template <typename Body>
void dispatch_bytes(std::size_t element_bytes, Body&& body) {
  switch (element_bytes) {
    case 1:
      return body(TypeTag<std::uint8_t>{});
    case 2:
      return body(TypeTag<std::uint16_t>{});
    case 4:
      return body(TypeTag<std::uint32_t>{});
    case 8:
      return body(TypeTag<std::uint64_t>{});
    default:
      CLEAVE_CHECK(false, "element types have 1, 2, 4 or 8 bytes");
  }
}

}  // namespace cleave::exec
