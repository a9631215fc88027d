#include "quant/packing.h"

#include <type_traits>

#include "core/check.h"
#include "core/error.h"

namespace cleave::quant {

namespace {

constexpr int kGroupWidths[] = {4, 2, 1};

/// Calls body with the width as a constant, so that loops over the codes of a byte have a length that the compiler
/// knows.
template <typename Body>
void with_width(int width, Body&& body) {
  if (width == 1) return body(std::integral_constant<int, 1>());
  if (width == 2) return body(std::integral_constant<int, 2>());
  if (width == 4) return body(std::integral_constant<int, 4>());
  body(std::integral_constant<int, 8>());
}

template <int kWidth>
constexpr unsigned kLowBits = (1U << kWidth) - 1;

/// The byte of `count` codes from `codes` on.
template <int kWidth>
std::uint8_t packed_byte(const std::uint8_t* codes, std::size_t count, int shift) {
  unsigned byte = 0;
  for (std::size_t i = 0; i < count; ++i) byte |= (unsigned{codes[i]} >> shift & kLowBits<kWidth>) << i * kWidth;
  return static_cast<std::uint8_t>(byte);
}

template <int kWidth>
void add_byte(unsigned byte, std::size_t count, int shift, std::uint8_t* codes) {
  for (std::size_t i = 0; i < count; ++i) {
    codes[i] = static_cast<std::uint8_t>(codes[i] | (byte >> i * kWidth & kLowBits<kWidth>) << shift);
  }
}

void pack_group(std::span<const std::uint8_t> codes, const BitGroup& group, std::uint8_t* target) {
  with_width(group.width, [&](auto width) {
    constexpr std::size_t kPlaces = 8 / width;
    const std::size_t whole = codes.size() / kPlaces;
    for (std::size_t i = 0; i < whole; ++i) target[i] = packed_byte<width>(&codes[i * kPlaces], kPlaces, group.shift);
    const auto rest = codes.subspan(whole * kPlaces);
    if (!rest.empty()) target[whole] = packed_byte<width>(rest.data(), rest.size(), group.shift);
  });
}

void unpack_group(const std::uint8_t* source, const BitGroup& group, std::span<std::uint8_t> codes) {
  with_width(group.width, [&](auto width) {
    constexpr std::size_t kPlaces = 8 / width;
    const std::size_t whole = codes.size() / kPlaces;
    for (std::size_t i = 0; i < whole; ++i) add_byte<width>(source[i], kPlaces, group.shift, &codes[i * kPlaces]);
    const auto rest = codes.subspan(whole * kPlaces);
    if (!rest.empty()) add_byte<width>(source[whole], rest.size(), group.shift, rest.data());
  });
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
  unsigned used = 0;
  for (const std::uint8_t code : codes) used |= code;
  CLEAVE_CHECK(used <= static_cast<unsigned>(bits.max_unsigned()), "every code fits the bit-width");
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
