#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "cost/device.h"
#include "cost/scale_sim.h"
#include "golden_csv.h"
#include "support/shared.h"

namespace cleave::cost {
namespace {

namespace fs = std::filesystem;
using testing::integer;
using testing::number;
using testing::read_csv;
using testing::Row;

TopologyLayer layer_of(const Row& row) {
  const std::string stride = row.contains("stride") ? "stride" : "stride_h";
  return {integer(row, "ifmap_h"),  integer(row, "ifmap_w"),
          integer(row, "filt_h"),   integer(row, "filt_w"),
          integer(row, "channels"), integer(row, "num_filt"),
          integer(row, stride),     integer(row, row.contains("stride") ? "stride" : "stride_w")};
}

void expect_equal(const Row& row, const SystolicCounts& counts) {
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

/// An array and its read buffers, both alike.
struct Machine {
  SystolicArray array;
  std::int64_t sram_kilobytes;

  std::int64_t words() const { return buffer_words(1024 * sram_kilobytes); }
};

const Machine kEyeriss{{12, 14, Dataflow::kWeightStationary}, 36};
const Machine kTpu{{256, 256, Dataflow::kWeightStationary}, 6144};
const Machine kScale{{32, 32, Dataflow::kOutputStationary}, 64};

using Compare = void (*)(const Row&, const Machine&);

/// Compares every row; how many there were.
std::size_t compare_file(const fs::path& path, const Machine& machine, Compare compare) {
  const std::vector<Row> rows = read_csv(path);
  for (const Row& row : rows) {
    SCOPED_TRACE(path.string() + ": " + row.at("layer"));
    compare(row, machine);
  }
  return rows.size();
}

std::size_t compare_folder(const std::string& folder, const Machine& machine, Compare compare) {
  std::size_t rows = 0;
  for (const auto& entry : fs::directory_iterator(cleave::testing::shared_dir() / "golden/scalesim" / folder)) {
    if (entry.path().extension() == ".csv") rows += compare_file(entry.path(), machine, compare);
  }
  return rows;
}

const std::map<std::string, Dataflow> kDataflows{
    {"os", Dataflow::kOutputStationary}, {"ws", Dataflow::kWeightStationary}, {"is", Dataflow::kInputStationary}};

std::size_t compare_small_arrays(Compare compare) {
  const fs::path folder = cleave::testing::shared_dir() / "golden/scalesim/small_arrays";
  std::size_t rows = 0;
  for (const std::int64_t size : {8, 16, 32}) {
    for (const auto& [name, dataflow] : kDataflows) {
      const fs::path path = folder / ("sq" + std::to_string(size) + "_" + name + ".csv");
      rows += compare_file(path, {{size, size, dataflow}, 4}, compare);
    }
  }
  return rows;
}

void compare_counts(const Row& row, const Machine& machine) {
  const SystolicArray& array = machine.array;
  expect_equal(row, systolic_counts(gemm_of_layer(layer_of(row)), array.rows, array.columns, array.dataflow));
}

TEST(SystolicCounts, EqualScaleSimOnTheEyerissArray) {
  CLEAVE_NEEDS_SHARED();
  EXPECT_EQ(compare_folder("eyeriss", kEyeriss, compare_counts), 302U);
}

TEST(SystolicCounts, EqualScaleSimOnTheTpuArray) {
  CLEAVE_NEEDS_SHARED();
  EXPECT_EQ(compare_folder("google", kTpu, compare_counts), 210U);
}

TEST(SystolicCounts, EqualScaleSimOnAnOutputStationaryArray) {
  CLEAVE_NEEDS_SHARED();
  EXPECT_EQ(compare_folder("scale", kScale, compare_counts), 210U);
}

TEST(SystolicCounts, EqualScaleSimOnSmallArraysOfEveryDataflow) {
  CLEAVE_NEEDS_SHARED();
  EXPECT_EQ(compare_small_arrays(compare_counts), 126U);
}

DramTraffic traffic_of(const Row& row, const Machine& machine) {
  return dram_traffic(layer_of(row), machine.array, machine.words(), machine.words());
}

void compare_dram_reads(const Row& row, const Machine& machine) {
  const DramTraffic traffic = traffic_of(row, machine);
  EXPECT_EQ(traffic.ifmap_reads, integer(row, "dram_ifmap_reads"));
  EXPECT_EQ(traffic.filter_reads, integer(row, "dram_filter_reads"));
}

TEST(DramReads, EqualScaleSimOnTheEyerissArray) {
  CLEAVE_NEEDS_SHARED();
  EXPECT_EQ(compare_folder("eyeriss", kEyeriss, compare_dram_reads), 302U);
}

TEST(DramReads, EqualScaleSimOnTheTpuArray) {
  CLEAVE_NEEDS_SHARED();
  EXPECT_EQ(compare_folder("google", kTpu, compare_dram_reads), 210U);
}

TEST(DramReads, EqualScaleSimOnAnOutputStationaryArray) {
  CLEAVE_NEEDS_SHARED();
  EXPECT_EQ(compare_folder("scale", kScale, compare_dram_reads), 210U);
}

TEST(DramReads, EqualScaleSimOnSmallArraysOfEveryDataflow) {
  CLEAVE_NEEDS_SHARED();
  EXPECT_EQ(compare_small_arrays(compare_dram_reads), 126U);
}

/// The reports count padding slots among the writes: one layer of a 32 x 32 array writes 2992 words, 3023 with them.
void compare_dram_writes(const Row& row, const Machine& machine) {
  const auto reported = number(row, "dram_ofmap_writes");
  const bool is_the_exception =
      row.at("layer") == "conv1x7" && machine.array.rows == 32 && machine.array.dataflow == Dataflow::kOutputStationary;
  const double share = is_the_exception ? 0.011 : 0.01;
  EXPECT_NEAR(static_cast<double>(dram_writes(gemm_of_layer(layer_of(row)), machine.array)), reported,
              share * reported);
}

TEST(DramWrites, AreWithinOnePerCentOfScaleSimOnAllButOneLayer) {
  CLEAVE_NEEDS_SHARED();
  EXPECT_EQ(compare_folder("eyeriss", kEyeriss, compare_dram_writes), 302U);
  EXPECT_EQ(compare_folder("google", kTpu, compare_dram_writes), 210U);
  EXPECT_EQ(compare_folder("scale", kScale, compare_dram_writes), 210U);
  EXPECT_EQ(compare_small_arrays(compare_dram_writes), 126U);
}

void compare_version_1(const Row& row, const Machine& machine) {
  EXPECT_EQ(version_1_cycles(layer_of(row), machine.array), integer(row, "total_cycles"));
}

TEST(Version1Cycles, EqualScaleSimOnTheShippedArrays) {
  CLEAVE_NEEDS_SHARED();
  EXPECT_EQ(compare_folder("v1_eyeriss_12x14_ws", kEyeriss, compare_version_1), 174U);
  const Machine tpu{{256, 256, Dataflow::kOutputStationary}, 8192};
  EXPECT_EQ(compare_folder("v1_google_256x256_os", tpu, compare_version_1), 174U);
}

TEST(Version1Cycles, EqualScaleSimOnSmallArraysOfEveryDataflow) {
  CLEAVE_NEEDS_SHARED();
  const auto compare = [](const Row& row, const Machine&) {
    const std::int64_t size = integer(row, "array");
    compare_version_1(row, {{size, size, kDataflows.at(row.at("dataflow"))}, 0});
  };
  const fs::path path = cleave::testing::shared_dir() / "golden/scalesim/v1_small_arrays.csv";
  EXPECT_EQ(compare_file(path, kEyeriss, compare), 126U);
}

}  // namespace
}  // namespace cleave::cost
