#pragma once

#include <cstdint>
#include <initializer_list>

namespace cleave::cost {

/// Product of counts. Throws Error(kUnsupported) when it leaves 64 bits.
std::int64_t checked_product(std::initializer_list<std::int64_t> factors);

/// a + b under the same rule.
std::int64_t checked_sum(std::int64_t a, std::int64_t b);

/// ceil(a / b) for a >= 0, b > 0.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return a / b + (a % b != 0 ? 1 : 0);
}

}  // namespace cleave::cost
