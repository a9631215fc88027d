#include <array>

#include "core/check.h"
#include "core/error.h"
#include "core/text.h"
#include "quant/clip.h"

namespace cleave::quant {

namespace {

constexpr std::array<ClipMethodRow, 6> kMethods = {{
    {ClipMethod::kMinMax, "minmax", "the whole range seen"},
    {ClipMethod::kPercentile, "percentile", "99.99 % of the values"},
    {ClipMethod::kAciqLaplace, "aciq-laplace", "least error under a Laplace prior (ACIQ)"},
    {ClipMethod::kAciqGauss, "aciq-gauss", "least error under a Gauss prior (ACIQ)"},
    {ClipMethod::kMse, "mse", "least squared error of the values themselves, exactly"},
    {ClipMethod::kAuto, "auto", "the one of the above with the least measured squared error"},
}};

}  // namespace

std::span<const ClipMethodRow> clip_methods() {
  return kMethods;
}

std::string_view clip_method_name(ClipMethod method) {
  for (const ClipMethodRow& row : kMethods) {
    if (row.method == method) return row.name;
  }
  CLEAVE_CHECK(false, "every clip method stands in the table");
  return {};
}

ClipMethod clip_method_from_name(const std::string& name) {
  std::vector<std::string> names;
  for (const ClipMethodRow& row : kMethods) {
    if (name == row.name) return row.method;
    names.emplace_back(row.name);
  }
  throw Error(ErrorKind::kUsage, "unknown clip method '" + name + "'" + did_you_mean(name, names),
              "One of: " + join_text(names, ", ") + ".");
}

}  // namespace cleave::quant
