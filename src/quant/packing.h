#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "quant/bits.h"

namespace cleave::quant {

/// One group of the LUT-groups layout: `width` bits (4, 2, 1 or 8) of every code, starting at bit `shift`.
struct BitGroup {
  int width;
  int shift;
  int per_byte() const { return 8 / width; }
  std::int64_t bytes(std::int64_t elements) const { return (elements + per_byte() - 1) / per_byte(); }
};

/// The groups of a bit-width, in stream order: 1 -> [1], 2 -> [2], 3 -> [2,1], 4 -> [4], 5 -> [4,1], 6 -> [4,2],
/// 7 -> [4,2,1], 8 -> [8]. Group j holds bits [shift, shift+width), low bits first; groups are concatenated.
std::vector<BitGroup> bit_groups(Bits bits);

/// Bytes of a packed sample: sum over groups of ceil(elements * width / 8).
std::int64_t wire_bytes(std::int64_t elements, Bits bits);

/// Codes (each < 2^bits) to bytes and back; exact inverse. unpack throws Error(kInvalidInput) when the size is wrong.
std::vector<std::uint8_t> pack(std::span<const std::uint8_t> codes, Bits bits);
std::vector<std::uint8_t> unpack(std::span<const std::uint8_t> bytes, std::int64_t elements, Bits bits);

}  // namespace cleave::quant
