#include "quant/clip_methods.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "core/check.h"
#include "core/error.h"
#include "core/text.h"

namespace cleave::quant {

namespace {

using Kind = ClipMethod::Kind;

constexpr std::array<ClipMethodRow, 11> kMethods = {{
    {ClipMethod::kMinMax, "minmax", "", true, "the whole range seen"},
    {ClipMethod::kAverage, "average", "", true, "the images' ranges, averaged"},
    {ClipMethod::kPercentile, "percentile", "PERCENT", true, "a percentage of the values"},
    {ClipMethod::kEntropy, "entropy", "", false, "least Kullback-Leibler divergence"},
    {ClipMethod::kAciqLaplace, "aciq-laplace", "", true, "least error under a Laplace prior (ACIQ)"},
    {ClipMethod::kAciqGauss, "aciq-gauss", "", true, "least error under a Gauss prior (ACIQ)"},
    {ClipMethod::kLaplace, "laplace", "", true, "least error of a Laplace prior on the integer grid, exactly"},
    {ClipMethod::kGauss, "gauss", "", true, "least error of a Gauss prior on the integer grid, exactly"},
    {ClipMethod::kMse, "mse", "", true, "least squared error of the values themselves, exactly"},
    {ClipMethod::lp(2.4), "lp", "P", false, "least mean of |error|^P of the values themselves"},
    {ClipMethod::kAuto, "auto", "", false, "the one with the least measured squared error"},
}};

constexpr double kLargestExponent = 100;  // powers of errors stay numbers

const ClipMethodRow& row_of(Kind kind) {
  const auto row = std::find_if(kMethods.begin(), kMethods.end(),
                                [kind](const ClipMethodRow& candidate) { return candidate.method.kind == kind; });
  CLEAVE_CHECK(row != kMethods.end(), "every clip method stands in the table");
  return *row;
}

bool takes_number(const ClipMethodRow& row) {
  return *row.number != '\0';
}

/// "lp-2.4" with the row's name "lp" is 2.4; empty when the name is another or what follows is no number.
std::optional<double> number_after(const ClipMethodRow& row, const std::string& name) {
  const std::string prefix = std::string(row.name) + "-";
  if (!takes_number(row) || !name.starts_with(prefix)) return std::nullopt;
  double number = 0;
  const char* const end = name.data() + name.size();
  const auto read = std::from_chars(name.data() + prefix.size(), end, number);
  return read.ec == std::errc() && read.ptr == end ? std::optional(number) : std::nullopt;
}

ClipMethod with_number(const ClipMethodRow& row, double number) {
  const double highest = row.method.kind == Kind::kPercentile ? 100 : kLargestExponent;
  if (number > 0 && number <= highest) return {row.method.kind, number};
  throw Error(ErrorKind::kUsage,
              "clip method '" + std::string(row.name) + "' takes a number above 0 and at most " +
                  std::to_string(static_cast<int>(highest)),
              "For example " + clip_method_name(row.method) + ".");
}

}  // namespace

std::span<const ClipMethodRow> clip_methods() {
  return kMethods;
}

std::string clip_method_names() {
  std::vector<std::string> names;
  for (const ClipMethodRow& row : kMethods) {
    names.push_back(row.name + (takes_number(row) ? "[-" + std::string(row.number) + "]" : ""));
  }
  return join_text(names, ", ");
}

std::string clip_method_name(const ClipMethod& method) {
  const ClipMethodRow& row = row_of(method.kind);
  if (!takes_number(row)) return row.name;
  std::array<char, 32> number{};
  const auto end = std::to_chars(number.data(), number.data() + number.size(), method.parameter).ptr;
  return std::string(row.name) + "-" + std::string(number.data(), end);
}

ClipMethod clip_method_from_name(const std::string& name) {
  std::vector<std::string> names;
  for (const ClipMethodRow& row : kMethods) {
    if (name == row.name) return row.method;
    if (const auto number = number_after(row, name)) return with_number(row, *number);
    names.emplace_back(row.name);
  }
  throw Error(ErrorKind::kUsage, "unknown clip method '" + name + "'" + did_you_mean(name, names),
              "One of: " + clip_method_names() + ".");
}

}  // namespace cleave::quant
