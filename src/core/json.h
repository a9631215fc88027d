#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cleave {

/// Keys are kept sorted (std::map), so a document has one byte representation.
using Json = nlohmann::json;

/// Parses text. Duplicate keys and syntax errors throw Error(kInvalidInput) with "origin:line: ...".
Json parse_json(std::string_view text, const std::string& origin);

/// Reads and parses a file. Throws Error(kIo | kInvalidInput).
Json read_json(const std::filesystem::path& path);

/// Pretty text with sorted keys, two-space indent, shortest round-trip numbers and a final newline.
std::string to_text(const Json& json);

/// to_text through write_file_atomically.
void write_json(const std::filesystem::path& path, const Json& json);

/// SHA-256 of the compact text: the identity of a document's content.
std::string json_fingerprint(const Json& json);

/// Starts an artefact: {"schema": "cleave.<what>/1", "tool": version}.
Json make_document(std::string_view what);

/// Reads one JSON object strictly: typed access with messages that name the origin and the path to the key.
/// Every key that is not read or declared is an error with "did you mean" when finish() is called.
///
///     JsonReader reader(json, "configs/links/wifi.json");
///     const double mbps = reader.number("bandwidth_mbps");
///     reader.finish();
///
/// All getters throw Error(kInvalidInput). The reader keeps a reference to the json.
class JsonReader {
 public:
  JsonReader(const Json& json, std::string where);

  /// Throws unless "schema" is "cleave.<what>/1".
  void require_schema(std::string_view what);

  bool has(const std::string& key) const;
  const Json& at(const std::string& key);  ///< required, any type
  std::string text(const std::string& key);
  std::string text_or(const std::string& key, const std::string& fallback);
  double number(const std::string& key);  ///< finite
  double number_or(const std::string& key, double fallback);
  std::int64_t integer(const std::string& key);
  std::int64_t integer_or(const std::string& key, std::int64_t fallback);
  bool boolean_or(const std::string& key, bool fallback);
  std::vector<double> numbers(const std::string& key);
  std::vector<std::int64_t> integers(const std::string& key);
  std::vector<std::string> texts(const std::string& key);
  JsonReader object(const std::string& key);                ///< required object
  std::vector<JsonReader> objects(const std::string& key);  ///< required array of objects
  void ignore(const std::string& key);                      ///< known, not read

  /// "where.key" for messages.
  std::string path_of(const std::string& key) const;
  const std::string& where() const { return where_; }
  const Json& json() const { return *json_; }
  /// Throws Error(kInvalidInput, "<where>: unknown key 'x'; did you mean 'y'?") for the first key never asked for.
  void finish() const;

 private:
  const Json* find(const std::string& key);
  const Json* json_;
  std::string where_;
  std::vector<std::string> known_;
};

}  // namespace cleave
