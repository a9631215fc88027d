#pragma once

#include <type_traits>

#include "core/check.h"
#include "core/tensor.h"

namespace cleave::exec {

template <typename T>
struct TypeTag {
  using type = T;
};

/// Calls body(TypeTag<T>{}) for the T among Ts that `dtype` stands for.
template <typename... Ts, typename Body>
void dispatch(DType dtype, Body&& body) {
  const bool known = ((dtype == dtype_of<Ts>() && (body(TypeTag<Ts>{}), true)) || ...);
  CLEAVE_CHECK(known, "the operator table lets only the listed element types through");
}

/// The same for every number type that kernels compute with.
template <typename Body>
void dispatch_number(DType dtype, Body&& body) {
  dispatch<float, double, std::int32_t, std::int64_t, std::uint8_t, std::int8_t>(dtype, body);
}

}  // namespace cleave::exec
