#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cleave {

/// The candidate nearest to `word` by edit distance, if near enough to be a typing error (distance <= 1 + length/4).
std::optional<std::string> closest_match(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean 'x'?" or "".
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

std::vector<std::string> split_text(std::string_view text, char separator);
std::string join_text(std::span<const std::string> parts, std::string_view separator);
std::string trim_text(std::string_view text);

/// "1 234 567": thin groups of three, for messages.
std::string grouped(std::int64_t value);

/// Whole-text conversions; empty when the text is not exactly one number in range.
std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<double> parse_number(std::string_view text);

}  // namespace cleave
