#include "core/json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/fingerprint.h"
#include "core/text.h"
#include "core/version.h"

namespace cleave {

namespace {

std::size_t line_at(std::string_view text, std::size_t byte) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(byte, text.size()));
  return 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
}

/// Refuses a key that stands twice in one object, and nesting deep enough to exhaust the stack.
class StrictFilter {
 public:
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > 200) throw Error(ErrorKind::kInvalidInput, "nested deeper than 200 levels");
    if (event == Json::parse_event_t::object_start) open_.emplace_back();
    if (event == Json::parse_event_t::object_end) open_.pop_back();
    if (event == Json::parse_event_t::key && !open_.back().insert(parsed.get<std::string>()).second) {
      throw Error(ErrorKind::kInvalidInput, "key '" + parsed.get<std::string>() + "' stands twice in one object");
    }
    return true;
  }

 private:
  std::vector<std::set<std::string>> open_;
};

Error wrong_type(const std::string& path, const std::string& wanted, const Json& found) {
  return Error(ErrorKind::kInvalidInput, path + ": expected " + wanted + ", found " + found.type_name());
}

double as_number(const Json& json, const std::string& path) {
  if (!json.is_number()) throw wrong_type(path, "a number", json);
  const auto value = json.get<double>();
  if (!std::isfinite(value)) throw Error(ErrorKind::kInvalidInput, path + ": not a finite number");
  return value;
}

std::int64_t as_integer(const Json& json, const std::string& path) {
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > std::uint64_t{INT64_MAX}) {
    throw Error(ErrorKind::kInvalidInput, path + ": does not fit in 64 bits");
  }
  if (json.is_number_integer()) return json.get<std::int64_t>();
  const double value = as_number(json, path);
  if (value != std::floor(value) || std::abs(value) > 9e15) throw wrong_type(path, "a whole number", json);
  return static_cast<std::int64_t>(value);
}

std::string as_text(const Json& json, const std::string& path) {
  if (!json.is_string()) throw wrong_type(path, "a text", json);
  return json.get<std::string>();
}

template <typename T, typename Convert>
std::vector<T> as_list(const Json& json, const std::string& path, Convert convert) {
  if (!json.is_array()) throw wrong_type(path, "a list", json);
  std::vector<T> values;
  for (std::size_t i = 0; i < json.size(); ++i)
    values.push_back(convert(json[i], path + "[" + std::to_string(i) + "]"));
  return values;
}

}  // namespace

Json parse_json(std::string_view text, const std::string& origin) {
  try {
    StrictFilter filter;
    return Json::parse(
        text, [&filter](int depth, Json::parse_event_t event, Json& parsed) { return filter(depth, event, parsed); });
  } catch (const Json::parse_error& error) {
    throw Error(ErrorKind::kInvalidInput, origin + ":" + std::to_string(line_at(text, error.byte)) + ": not JSON",
                "The text goes wrong at byte " + std::to_string(error.byte) + ".");
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::kInvalidInput, origin + ": not JSON: " + error.what());
  } catch (const Error& error) {
    throw error.within(origin);
  }
}

Json read_json(const std::filesystem::path& path) {
  return parse_json(read_file(path), path.string());
}

std::string to_text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void write_json(const std::filesystem::path& path, const Json& json) {
  write_file_atomically(path, to_text(json));
}

std::string json_fingerprint(const Json& json) {
  return sha256_hex(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Json make_document(std::string_view what) {
  return Json{{"schema", "cleave." + std::string(what) + "/1"}, {"tool", version()}};
}

JsonReader::JsonReader(const Json& json, std::string where) : json_(&json), where_(std::move(where)) {
  if (!json.is_object()) throw wrong_type(where_, "an object", json);
}

void JsonReader::require_schema(std::string_view what) {
  const std::string wanted = "cleave." + std::string(what) + "/1";
  const std::string found = text("schema");
  ignore("tool");
  if (found != wanted) {
    throw Error(ErrorKind::kInvalidInput, where_ + ": schema is '" + found + "', expected '" + wanted + "'");
  }
}

const Json* JsonReader::find(const std::string& key) {
  known_.push_back(key);
  const auto found = json_->find(key);
  return found == json_->end() ? nullptr : &*found;
}

bool JsonReader::has(const std::string& key) const {
  return json_->contains(key);
}

const Json& JsonReader::at(const std::string& key) {
  const Json* value = find(key);
  if (value == nullptr) throw Error(ErrorKind::kInvalidInput, where_ + ": key '" + key + "' is missing");
  return *value;
}

std::string JsonReader::text(const std::string& key) {
  return as_text(at(key), path_of(key));
}

std::string JsonReader::text_or(const std::string& key, const std::string& fallback) {
  const Json* value = find(key);
  return value == nullptr ? fallback : as_text(*value, path_of(key));
}

double JsonReader::number(const std::string& key) {
  return as_number(at(key), path_of(key));
}

double JsonReader::number_or(const std::string& key, double fallback) {
  const Json* value = find(key);
  return value == nullptr ? fallback : as_number(*value, path_of(key));
}

std::int64_t JsonReader::integer(const std::string& key) {
  return as_integer(at(key), path_of(key));
}

std::int64_t JsonReader::integer_or(const std::string& key, std::int64_t fallback) {
  const Json* value = find(key);
  return value == nullptr ? fallback : as_integer(*value, path_of(key));
}

bool JsonReader::boolean_or(const std::string& key, bool fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) throw wrong_type(path_of(key), "true or false", *value);
  return value->get<bool>();
}

std::vector<double> JsonReader::numbers(const std::string& key) {
  return as_list<double>(at(key), path_of(key), as_number);
}

std::vector<std::int64_t> JsonReader::integers(const std::string& key) {
  return as_list<std::int64_t>(at(key), path_of(key), as_integer);
}

std::vector<std::string> JsonReader::texts(const std::string& key) {
  return as_list<std::string>(at(key), path_of(key), as_text);
}

JsonReader JsonReader::object(const std::string& key) {
  return JsonReader(at(key), path_of(key));
}

std::vector<JsonReader> JsonReader::objects(const std::string& key) {
  return as_list<JsonReader>(at(key), path_of(key),
                             [](const Json& json, const std::string& path) { return JsonReader(json, path); });
}

void JsonReader::ignore(const std::string& key) {
  known_.push_back(key);
}

std::string JsonReader::path_of(const std::string& key) const {
  return where_ + ": " + key;
}

void JsonReader::finish() const {
  for (const auto& [key, value] : json_->items()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    throw Error(ErrorKind::kInvalidInput, where_ + ": unknown key '" + key + "'" + did_you_mean(key, known_));
  }
}

}  // namespace cleave
