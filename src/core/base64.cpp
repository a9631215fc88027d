#include "core/base64.h"

#include <array>
#include <cstdint>

namespace cleave {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Value of each character; -1 for those that are none.
constexpr std::array<std::int8_t, 256> kDigits = [] {
  std::array<std::int8_t, 256> digits{};
  digits.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    digits[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  }
  return digits;
}();

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string text;
  std::uint32_t held = 0;
  int held_bits = 0;
  for (const char byte : bytes) {
    held = (held << 8) | static_cast<std::uint8_t>(byte);
    for (held_bits += 8; held_bits >= 6; held_bits -= 6) text += kAlphabet[(held >> (held_bits - 6)) & 63U];
  }
  if (held_bits > 0) text += kAlphabet[(held << (6 - held_bits)) & 63U];
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes;
  std::uint32_t held = 0;
  int held_bits = 0;
  for (const char letter : text) {
    const std::int8_t digit = kDigits[static_cast<std::uint8_t>(letter)];
    if (digit < 0) return std::nullopt;
    held = (held << 6) | static_cast<std::uint32_t>(digit);
    held_bits += 6;
    if (held_bits < 8) continue;
    held_bits -= 8;
    bytes += static_cast<char>(held >> held_bits);
  }
  return bytes;
}

}  // namespace cleave
