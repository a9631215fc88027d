#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cleave {

/// Bytes as base64 (RFC 4648), without padding.
std::string to_base64(std::string_view bytes);
/// The inverse; empty for a character that is none of base64's. Bits left over at the end are dropped.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace cleave
