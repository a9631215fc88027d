#include "golden_csv.h"

#include "core/file.h"
#include "core/text.h"

namespace cleave::cost::testing {

namespace {

std::vector<std::string> split_fields(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

}  // namespace

std::vector<Row> read_csv(const std::filesystem::path& path) {
  const std::vector<std::string> lines = split_text(read_file(path), '\n');
  const std::vector<std::string> header = split_fields(trim_text(lines.at(0)));
  std::vector<Row> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (trim_text(lines[i]).empty()) continue;
    const std::vector<std::string> fields = split_fields(trim_text(lines[i]));
    Row& row = rows.emplace_back();
    for (std::size_t c = 0; c < header.size(); ++c) row[header[c]] = fields.at(c);
  }
  return rows;
}

std::int64_t integer(const Row& row, const std::string& key) {
  return parse_integer(row.at(key)).value();
}

double number(const Row& row, const std::string& key) {
  return parse_number(row.at(key)).value();
}

std::vector<std::int64_t> integers(const Row& row, const std::string& key) {
  const std::string& field = row.at(key);
  std::vector<std::int64_t> values;
  for (const std::string& part : split_text(field.substr(1, field.size() - 2), ',')) {
    values.push_back(parse_integer(trim_text(part)).value());
  }
  return values;
}

}  // namespace cleave::cost::testing
