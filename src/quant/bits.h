#pragma once

#include <compare>
#include <cstdint>

namespace cleave::quant {

/// A bit-width. 1..16: integer codes; 32: unquantized float.
struct Bits {
  int count = 32;

  constexpr bool quantized() const { return count < 32; }
  /// 2^count - 1: the largest unsigned code.
  constexpr std::int32_t max_unsigned() const { return static_cast<std::int32_t>((std::int64_t{1} << count) - 1); }
  constexpr auto operator<=>(const Bits&) const = default;
};

/// Bytes of `elements` values at `bits` each, tightly packed: ceil(elements * bits / 8).
constexpr std::int64_t packed_bytes(std::int64_t elements, Bits bits) {
  return (elements * bits.count + 7) / 8;
}

}  // namespace cleave::quant
