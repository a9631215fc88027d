#include "cost/quantity.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"

namespace cleave::cost {

namespace {

constexpr double kSmallest = 1e-18;
constexpr double kLargest = 1e18;

std::string short_number(double value) {
  std::string text = to_text(Json(value));
  text.pop_back();  // the newline
  return text;
}

[[noreturn]] void refuse(const JsonReader& reader, const std::string& key, const std::string& rule, double value,
                         const std::string& hint) {
  throw Error(ErrorKind::kInvalidInput, reader.path_of(key) + ": must be " + rule + ", found " + short_number(value),
              hint);
}

/// A required key: when it is missing because it was misspelt, the message names the misspelt one.
void require_key(const JsonReader& reader, const std::string& key, const std::string& hint) {
  if (reader.has(key)) return;
  for (const auto& entry : reader.json().items()) {
    const std::string suggestion = did_you_mean(entry.key(), std::vector<std::string>{key});
    if (suggestion.empty()) continue;
    throw Error(ErrorKind::kInvalidInput, reader.where() + ": unknown key '" + entry.key() + "'" + suggestion, hint);
  }
  throw Error(ErrorKind::kInvalidInput, reader.where() + ": key '" + key + "' is missing", hint);
}

void require_not_huge(const JsonReader& reader, const std::string& key, double value, const std::string& hint) {
  if (value > kLargest) refuse(reader, key, "at most 1e18", value, hint);
}

}  // namespace

double positive(JsonReader& reader, const std::string& key, const std::string& hint) {
  require_key(reader, key, hint);
  const double value = reader.number(key);
  if (value <= 0) refuse(reader, key, "greater than 0", value, hint);
  if (value < kSmallest) refuse(reader, key, "at least 1e-18", value, hint);
  require_not_huge(reader, key, value, hint);
  return value;
}

double positive_or(JsonReader& reader, const std::string& key, double fallback, const std::string& hint) {
  reader.ignore(key);
  return reader.has(key) ? positive(reader, key, hint) : fallback;
}

double non_negative_or(JsonReader& reader, const std::string& key, double fallback, const std::string& hint) {
  const double value = reader.number_or(key, fallback);
  if (value < 0) refuse(reader, key, "0 or more", value, hint);
  require_not_huge(reader, key, value, hint);
  return value;
}

std::int64_t count_in(JsonReader& reader, const std::string& key, std::int64_t largest, const std::string& hint) {
  require_key(reader, key, hint);
  const std::int64_t value = reader.integer(key);
  if (value < 1 || value > largest) {
    throw Error(ErrorKind::kInvalidInput,
                reader.path_of(key) + ": must be from 1 to " + grouped(largest) + ", found " + std::to_string(value),
                hint);
  }
  return value;
}

void check_provenance(JsonReader& reader) {
  reader.ignore("provenance");
  if (!reader.has("provenance")) return;
  JsonReader provenance = reader.object("provenance");
  provenance.text("source");
  provenance.text("confidence");
  if (provenance.has("notes")) provenance.texts("notes");
  provenance.finish();
}

}  // namespace cleave::cost
