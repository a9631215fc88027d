#include <cmath>
#include <limits>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"

namespace cleave::exec::reference {
namespace {

/// Towards zero, then wrapped to the target's width; what no 64-bit integer holds becomes 0.
template <typename To, typename From>
To convert(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    constexpr From kLimit = static_cast<From>(9.2e18);
    return std::abs(x) < kLimit ? static_cast<To>(static_cast<std::int64_t>(x)) : To(0);
  } else {
    return static_cast<To>(x);
  }
}

template <typename Body>
void any_type(DType dtype, Body&& body) {
  dispatch<float, double, std::int32_t, std::int64_t, std::uint8_t, std::int8_t, bool, std::uint16_t, std::int16_t,
           std::uint32_t, std::uint64_t>(dtype, body);
}

}  // namespace

void cast(const KernelCall& call) {
  any_type(call.in(0).dtype, [&](auto from_tag) {
    any_type(call.out().dtype, [&](auto to_tag) {
      using From = typename decltype(from_tag)::type;
      using To = typename decltype(to_tag)::type;
      const From* x = call.in(0).as<From>();
      To* y = call.out().as<To>();
      const std::int64_t count = call.out().elements();
      for (std::int64_t i = 0; i < count; ++i) y[i] = convert<To>(x[i]);
    });
  });
}

}  // namespace cleave::exec::reference
