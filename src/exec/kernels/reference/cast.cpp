#include <algorithm>
#include <cmath>
#include <vector>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/half.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/widen.h"

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

void convert_all(const InputView& from, const OutputView& to) {
  dispatch_value(from.dtype, [&](auto from_tag) {
    dispatch_value(to.dtype, [&](auto to_tag) {
      using From = typename decltype(from_tag)::type;
      using To = typename decltype(to_tag)::type;
      const From* x = from.as<From>();
      To* y = to.as<To>();
      const std::int64_t count = to.elements();
      for (std::int64_t i = 0; i < count; ++i) y[i] = convert<To>(x[i]);
    });
  });
}

/// By way of float64, rounded only once.
void convert_to_half(const InputView& from, const OutputView& to) {
  const std::int64_t count = to.elements();
  std::vector<double> numbers(static_cast<std::size_t>(count));
  OutputView wide = to;
  wide.dtype = DType::kFloat64;
  wide.data = reinterpret_cast<std::byte*>(numbers.data());
  convert_all(from, wide);
  std::vector<float> odd(numbers.size());
  std::transform(numbers.begin(), numbers.end(), odd.begin(), rounded_to_odd);
  narrow(odd.data(), to);
}

}  // namespace

void cast(const KernelCall& call) {
  InputView from = call.in(0);
  std::vector<float> wide;
  if (is_half(from.dtype)) {
    wide.resize(static_cast<std::size_t>(from.elements()));
    widen(from, wide.data());
    from.dtype = DType::kFloat32;
    from.data = reinterpret_cast<const std::byte*>(wide.data());
  }
  if (is_half(call.out().dtype)) return convert_to_half(from, call.out());
  convert_all(from, call.out());
}

}  // namespace cleave::exec::reference
