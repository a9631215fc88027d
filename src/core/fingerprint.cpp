#include "core/fingerprint.h"

#include <openssl/evp.h>

#include <array>

#include "core/check.h"

namespace cleave {

struct Hasher::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() { CLEAVE_CHECK(EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1, "SHA-256 is always available"); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Hasher::Hasher() : state_(std::make_unique<State>()) {}
Hasher::~Hasher() = default;

Hasher& Hasher::add(std::span<const std::byte> bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
  return *this;
}

Hasher& Hasher::add_text(std::string_view text) {
  add_number(static_cast<std::int64_t>(text.size()));
  return add(std::as_bytes(std::span(text)));
}

Hasher& Hasher::add_number(std::int64_t value) {
  std::array<std::byte, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(value >> (8 * i));
  return add(bytes);
}

std::string Hasher::hex() {
  std::array<unsigned char, 32> digest{};
  EVP_DigestFinal_ex(state_->context, digest.data(), nullptr);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  return Hasher().add(std::as_bytes(std::span(bytes))).hex();
}

std::uint64_t stable_hash(std::string_view text) {
  return std::stoull(sha256_hex(text).substr(0, 16), nullptr, 16);
}

}  // namespace cleave
