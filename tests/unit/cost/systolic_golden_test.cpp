#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "cost/device.h"
#include "golden_csv.h"
#include "support/shared.h"

namespace cleave::cost {
namespace {

namespace fs = std::filesystem;
using testing::integer;
using testing::number;
using testing::read_csv;
using testing::Row;

/// Windows along one side as SCALE-Sim v2 counts them: a last, partial one is kept.
std::int64_t windows(std::int64_t size, std::int64_t filter, std::int64_t stride) {
  return (size - filter + stride + stride - 1) / stride;
}

GemmShape gemm_of(const Row& row) {
  const std::int64_t height = windows(integer(row, "ifmap_h"), integer(row, "filt_h"), integer(row, "stride_h"));
  const std::int64_t width = windows(integer(row, "ifmap_w"), integer(row, "filt_w"), integer(row, "stride_w"));
  return {height * width, integer(row, "filt_h") * integer(row, "filt_w") * integer(row, "channels"),
          integer(row, "num_filt")};
}

void expect_equal(const Row& row, const SystolicCounts& counts, const std::string& where) {
  SCOPED_TRACE(where + ": " + row.at("layer"));
  EXPECT_EQ(counts.spatial_rows, integer(row, "Sr"));
  EXPECT_EQ(counts.spatial_columns, integer(row, "Sc"));
  EXPECT_EQ(counts.temporal, integer(row, "T"));
  EXPECT_EQ(counts.total_cycles, integer(row, "total_cycles"));
  EXPECT_EQ(counts.sram_ifmap_reads, integer(row, "ifmap_sram_reads"));
  EXPECT_EQ(counts.sram_filter_reads, integer(row, "filter_sram_reads"));
  EXPECT_EQ(counts.sram_ofmap_writes, integer(row, "ofmap_sram_writes"));
  const double mapping = number(row, "mapping_eff_pct");
  const double utilisation = number(row, "overall_util_pct");
  EXPECT_NEAR(counts.mapping_efficiency_percent, mapping, 1e-9 * mapping);  // the files have ten digits
  EXPECT_NEAR(counts.utilisation_percent, utilisation, 1e-9 * utilisation);
}

struct Array {
  std::int64_t rows, columns;
  Dataflow dataflow;
};

std::size_t compare_file(const fs::path& path, const Array& array) {
  const std::vector<Row> rows = read_csv(path);
  for (const Row& row : rows) {
    expect_equal(row, systolic_counts(gemm_of(row), array.rows, array.columns, array.dataflow), path.string());
  }
  return rows.size();
}

std::size_t compare_folder(const std::string& folder, const Array& array) {
  std::size_t rows = 0;
  for (const auto& entry : fs::directory_iterator(cleave::testing::shared_dir() / "golden/scalesim" / folder)) {
    if (entry.path().extension() == ".csv") rows += compare_file(entry.path(), array);
  }
  return rows;
}

TEST(SystolicCounts, EqualScaleSimOnTheEyerissArray) {
  CLEAVE_NEEDS_SHARED();
  EXPECT_EQ(compare_folder("eyeriss", {12, 14, Dataflow::kWeightStationary}), 302U);
}

TEST(SystolicCounts, EqualScaleSimOnTheTpuArray) {
  CLEAVE_NEEDS_SHARED();
  EXPECT_EQ(compare_folder("google", {256, 256, Dataflow::kWeightStationary}), 210U);
}

TEST(SystolicCounts, EqualScaleSimOnAnOutputStationaryArray) {
  CLEAVE_NEEDS_SHARED();
  EXPECT_EQ(compare_folder("scale", {32, 32, Dataflow::kOutputStationary}), 210U);
}

TEST(SystolicCounts, EqualScaleSimOnSmallArraysOfEveryDataflow) {
  CLEAVE_NEEDS_SHARED();
  const std::map<std::string, Dataflow> dataflows{
      {"os", Dataflow::kOutputStationary}, {"ws", Dataflow::kWeightStationary}, {"is", Dataflow::kInputStationary}};
  const fs::path folder = cleave::testing::shared_dir() / "golden/scalesim/small_arrays";
  std::size_t rows = 0;
  for (const std::int64_t size : {8, 16, 32}) {
    for (const auto& [name, dataflow] : dataflows) {
      rows += compare_file(folder / ("sq" + std::to_string(size) + "_" + name + ".csv"), {size, size, dataflow});
    }
  }
  EXPECT_EQ(rows, 126U);
}

}  // namespace
}  // namespace cleave::cost
