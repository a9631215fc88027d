#include "quant/packing.h"

#include <algorithm>

#include "core/check.h"
#include "core/error.h"

namespace cleave::quant {

namespace {

constexpr int kGroupWidths[] = {4, 2, 1};

std::uint8_t low_bits(int width) {
  return static_cast<std::uint8_t>((1 << width) - 1);
}

void pack_group(std::span<const std::uint8_t> codes, const BitGroup& group, std::uint8_t* target) {
  const std::uint8_t mask = low_bits(group.width);
  for (std::size_t i = 0; i < codes.size(); ++target) {
    unsigned byte = 0;
    for (int place = 0; place < 8 && i < codes.size(); place += group.width, ++i) {
      byte |= ((unsigned{codes[i]} >> group.shift) & mask) << place;
    }
    *target = static_cast<std::uint8_t>(byte);
  }
}

void unpack_group(const std::uint8_t* source, const BitGroup& group, std::span<std::uint8_t> codes) {
  const std::uint8_t mask = low_bits(group.width);
  for (std::size_t i = 0; i < codes.size(); ++source) {
    for (int place = 0; place < 8 && i < codes.size(); place += group.width, ++i) {
      const unsigned piece = (unsigned{*source} >> place) & mask;
      codes[i] = static_cast<std::uint8_t>(codes[i] | (piece << group.shift));
    }
  }
}

}  // namespace

std::vector<BitGroup> bit_groups(Bits bits) {
  CLEAVE_CHECK(bits.count >= 1 && bits.count <= 8, "packed codes have 1 to 8 bits");
  if (bits.count == 8) return {{8, 0}};
  std::vector<BitGroup> groups;
  int left = bits.count;
  for (const int width : kGroupWidths) {
    if ((left & width) == 0) continue;
    groups.push_back({width, bits.count - left});
    left -= width;
  }
  return groups;
}

std::int64_t wire_bytes(std::int64_t elements, Bits bits) {
  std::int64_t bytes = 0;
  for (const BitGroup& group : bit_groups(bits)) bytes += group.bytes(elements);
  return bytes;
}

std::vector<std::uint8_t> pack(std::span<const std::uint8_t> codes, Bits bits) {
  const auto elements = static_cast<std::int64_t>(codes.size());
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(wire_bytes(elements, bits)));
  const std::uint8_t largest = codes.empty() ? std::uint8_t{0} : *std::max_element(codes.begin(), codes.end());
  CLEAVE_CHECK(largest <= bits.max_unsigned(), "every code fits the bit-width");
  std::uint8_t* target = bytes.data();
  for (const BitGroup& group : bit_groups(bits)) {
    pack_group(codes, group, target);
    target += group.bytes(elements);
  }
  return bytes;
}

std::vector<std::uint8_t> unpack(std::span<const std::uint8_t> bytes, std::int64_t elements, Bits bits) {
  CLEAVE_CHECK(elements >= 0, "a tensor has no negative size");
  const std::int64_t wanted = wire_bytes(elements, bits);
  if (static_cast<std::int64_t>(bytes.size()) != wanted) {
    throw Error(ErrorKind::kInvalidInput, "packed tensor of " + std::to_string(bytes.size()) + " bytes, expected " +
                                              std::to_string(wanted) + " for " + std::to_string(elements) +
                                              " elements of " + std::to_string(bits.count) + " bits");
  }
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(elements));
  const std::uint8_t* source = bytes.data();
  for (const BitGroup& group : bit_groups(bits)) {
    unpack_group(source, group, codes);
    source += group.bytes(elements);
  }
  return codes;
}

}  // namespace cleave::quant
