#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace cleave {

/// SHA-256 of bytes fed piece by piece; hex() ends it.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Hasher& add(std::span<const std::byte> bytes);
  /// Adds the text's length and then the text, so that ("ab","c") and ("a","bc") differ.
  Hasher& add_text(std::string_view text);
  Hasher& add_number(std::int64_t value);

  /// 64 lower-case hex digits; the hasher is spent afterwards.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// SHA-256 of bytes, 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

/// First 8 bytes of SHA-256 as a big-endian number: a stable hash for sharding and sampling.
std::uint64_t stable_hash(std::string_view text);

}  // namespace cleave
