#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace cleave::cost::testing {

/// One line of a CSV file by the names of its header.
using Row = std::map<std::string, std::string>;

/// Fields are parted by commas; quotes around a field hold its commas together and are dropped.
std::vector<Row> read_csv(const std::filesystem::path& path);

std::int64_t integer(const Row& row, const std::string& key);
double number(const Row& row, const std::string& key);
/// The whole numbers in a field such as "(1, 64, 56, 56)".
std::vector<std::int64_t> integers(const Row& row, const std::string& key);

}  // namespace cleave::cost::testing
