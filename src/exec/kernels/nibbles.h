#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cleave::exec {

/// 4-bit elements, two to a byte with the first in the low half (see DType), one to a byte and back.
/// T: std::int8_t for int4 (sign extended), std::uint8_t for uint4.
template <typename T>
std::vector<T> unpack_nibbles(const std::byte* packed, std::int64_t count) {
  std::vector<T> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits = static_cast<unsigned>(packed[i / 2]) >> (i % 2 * 4) & 0xfU;
    const unsigned sign = std::is_signed_v<T> ? bits & 0x8U : 0U;
    values[i] = static_cast<T>(static_cast<int>(bits) - static_cast<int>(2 * sign));
  }
  return values;
}

template <typename T>
void pack_nibbles(const std::vector<T>& values, std::byte* packed) {
  for (std::size_t i = 0; i < values.size(); i += 2) {
    const auto low = static_cast<unsigned>(values[i]) & 0xfU;
    const auto high = i + 1 < values.size() ? static_cast<unsigned>(values[i + 1]) & 0xfU : 0U;
    packed[i / 2] = static_cast<std::byte>(low | high << 4);
  }
}

}  // namespace cleave::exec
