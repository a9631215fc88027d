#include "exec/precision.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/check.h"
#include "core/error.h"
#include "core/text.h"

namespace cleave::exec {

namespace {

constexpr std::array kRows = {
    PrecisionRow{Precision::kForceFloat32, "force_float32", 0, false, "everything in float32, as the file has it"},
    PrecisionRow{Precision::kForceFloat16, "force_float16", 0, true, "every result and constant rounded to float16"},
    PrecisionRow{Precision::kQint8MixedFloat16, "qint8_mixed_float16", 8, true,
                 "convolutions and matrix products on 8-bit codes, the rest in float16"},
    PrecisionRow{Precision::kQint8MixedFloat32, "qint8_mixed_float32", 8, false,
                 "convolutions and matrix products on 8-bit codes, the rest in float32"},
    PrecisionRow{Precision::kQint16MixedFloat16, "qint16_mixed_float16", 16, true,
                 "convolutions and matrix products on the 16-bit grid, the rest in float16"},
    PrecisionRow{Precision::kQint16MixedFloat32, "qint16_mixed_float32", 16, false,
                 "convolutions and matrix products on the 16-bit grid, the rest in float32"},
};

}  // namespace

std::span<const PrecisionRow> precisions() {
  return kRows;
}

const PrecisionRow& precision_row(Precision precision) {
  const auto row =
      std::find_if(kRows.begin(), kRows.end(), [&](const PrecisionRow& r) { return r.precision == precision; });
  CLEAVE_CHECK(row != kRows.end(), "every precision has a row");
  return *row;
}

Precision precision_from_name(const std::string& name) {
  std::vector<std::string> names;
  for (const PrecisionRow& row : kRows) {
    if (row.name == name) return row.precision;
    names.emplace_back(row.name);
  }
  throw Error(ErrorKind::kUsage, "there is no precision '" + name + "'" + did_you_mean(name, names),
              "Precisions: " + join_text(names, ", ") + ".");
}

}  // namespace cleave::exec
