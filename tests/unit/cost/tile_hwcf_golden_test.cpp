#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/json.h"
#include "cost/link.h"
#include "cost/tile_hwcf.h"
#include "golden_csv.h"
#include "support/shared.h"

namespace cleave::cost {
namespace {

namespace fs = std::filesystem;
using cleave::testing::shared_dir;
using cleave::testing::source_dir;
using quant::Bits;
using testing::integer;
using testing::integers;
using testing::number;
using testing::read_csv;
using testing::Row;

const std::vector<std::string> kNetworks{"resnet18", "resnet50",   "resnext50_32x4d", "mobilenet_v2",
                                         "vgg16",    "yolov3-416", "yolov3-spp-416"};

std::vector<Row> golden(const std::string& file) {
  return read_csv(shared_dir() / "golden/autosplit_latency" / (file + ".csv"));
}

Device device(const std::string& name) {
  const fs::path path = source_dir() / "configs/devices" / (name + ".json");
  return Device::from_json(read_json(path), path.string());
}

TileModel model(const std::string& side) {
  return std::get<TileModel>(device("autosplit-" + side).model);
}

Link link(int mbps) {
  const fs::path path = source_dir() / "configs/links" / ("autosplit-" + std::to_string(mbps) + "mbps.json");
  return Link::from_json(read_json(path), path.string());
}

UnitWork work_of(const Row& row) {
  UnitWork work;
  work.op = row.at("type") == "Linear" ? "Gemm" : "Conv";
  if (work.op == "Gemm") return work;
  const auto ifm = integers(row, "ifm");
  const auto kernel = integers(row, "kernel");
  const auto stride = integers(row, "stride");
  work.batch = ifm[0];
  work.in_channels = ifm[1];
  work.in_height = ifm[2];
  work.in_width = ifm[3];
  work.out_channels = integers(row, "ofm")[1];
  work.kernel_height = kernel[0];
  work.kernel_width = kernel[1];
  work.stride_height = stride[0];
  work.stride_width = stride[1];
  work.groups = integer(row, "groups");
  return work;
}

/// "edge_cycles_w8a4"
struct Column {
  const char* side;
  int weight, activation;

  std::string name() const {
    return std::string(side) + "_cycles_w" + std::to_string(weight) + "a" + std::to_string(activation);
  }
  double cycles(const UnitWork& work) const {
    return tile_counts(model(side), work, Bits{weight}, Bits{activation}).cycles;
  }
};

const std::vector<Column> kColumns{{"edge", 8, 8}, {"edge", 8, 4},   {"edge", 4, 8},    {"edge", 4, 4}, {"edge", 2, 2},
                                   {"edge", 2, 8}, {"edge", 16, 16}, {"cloud", 16, 16}, {"cloud", 8, 8}};

TEST(TileModel, CountsTheCyclesOfEveryPublishedLayerExactly) {
  CLEAVE_NEEDS_SHARED();
  int cells = 0;
  for (const std::string& network : kNetworks) {
    for (const Row& row : golden(network + "_layers")) {
      for (const Column& column : kColumns) {
        EXPECT_EQ(column.cycles(work_of(row)), number(row, column.name())) << network << ": " << row.at("name");
        ++cells;
      }
    }
  }
  EXPECT_EQ(cells, 349 * 9);
}

TEST(TileModel, CountsThePartsOfEveryPublishedLayerExactly) {
  CLEAVE_NEEDS_SHARED();
  for (const std::string& network : kNetworks) {
    for (const Row& row : golden(network + "_layers")) {
      SCOPED_TRACE(network + ": " + row.at("name"));
      const TileCounts counts = tile_counts(model("edge"), work_of(row), Bits{8}, Bits{8});
      EXPECT_EQ(counts.compute_cycles, number(row, "edge_w8a8_mac_cycles"));
      EXPECT_EQ(counts.transfer_bound, integer(row, "edge_w8a8_is_dma_cycle_selected"));
      EXPECT_EQ(counts.compute_bound, integer(row, "edge_w8a8_is_mac_cycle_selected"));
      EXPECT_EQ(counts.input_bytes, number(row, "edge_w8a8_in_dma_act"));
      EXPECT_EQ(counts.weight_bytes, number(row, "edge_w8a8_in_dma_wgt"));
      EXPECT_EQ(counts.output_bytes, number(row, "edge_w8a8_out_dma_act"));
      EXPECT_EQ(counts.multipliers, integer(row, "edge_mac_units"));
      EXPECT_EQ(tile_counts(model("cloud"), work_of(row), Bits{8}, Bits{8}).multipliers,
                integer(row, "cloud_mac_units"));
    }
  }
}

/// The published sum over layers [first, last): whole cycles.
double whole_cycles(const std::vector<Row>& layers, std::size_t first, std::size_t last, const Column& column) {
  double cycles = 0;
  for (std::size_t i = first; i < last; ++i) cycles += column.cycles(work_of(layers[i]));
  return std::trunc(cycles);
}

double edge_s(const std::vector<Row>& layers, std::size_t edge_layers, int weight, int activation) {
  const Column column{"edge", weight, activation};
  return whole_cycles(layers, 0, edge_layers, column) / model("edge").clock_hz;
}

double cloud_s(const std::vector<Row>& layers, std::size_t edge_layers) {
  return whole_cycles(layers, edge_layers, layers.size(), {"cloud", 16, 16}) / model("cloud").clock_hz;
}

void expect_close(double found, double wanted) {
  EXPECT_NEAR(found, wanted, 1e-12 * std::max(1.0, std::abs(wanted)));
}

TEST(TileModel, GivesTheSecondsOfEveryPublishedSplit) {
  CLEAVE_NEEDS_SHARED();
  int splits = 0;
  for (const std::string& network : kNetworks) {
    const std::vector<Row> layers = golden(network + "_layers");
    for (const Row& row : golden(network + "_splits_w8a8")) {
      SCOPED_TRACE(network + ": " + row.at("name"));
      const auto edge_layers = static_cast<std::size_t>(integer(row, "split_idx") + 1);
      const double edge = edge_s(layers, edge_layers, 8, 8);
      const double cloud = cloud_s(layers, edge_layers);
      expect_close(edge, number(row, "edge_sec"));
      expect_close(cloud, number(row, "cloud_sec"));
      for (const int mbps : {1, 3, 10, 20}) {
        const double sent_s = number(row, "tr_bits") / 8 / link(mbps).upload_bytes_per_s;
        expect_close(sent_s, number(row, "tr_sec_" + std::to_string(mbps) + "Mbps"));
        expect_close(edge + sent_s + cloud, number(row, "total_sec_" + std::to_string(mbps) + "Mbps"));
      }
      ++splits;
    }
  }
  EXPECT_EQ(splits, 349);
}

TEST(TileModel, GivesTheTotalsOfEveryPublishedNetwork) {
  CLEAVE_NEEDS_SHARED();
  for (const Row& row : golden("summary")) {
    SCOPED_TRACE(row.at("model"));
    const std::vector<Row> layers = golden(row.at("model") + "_layers");
    for (const Column& column : kColumns) {
      EXPECT_EQ(whole_cycles(layers, 0, layers.size(), column), number(row, column.name()));
    }
    expect_close(edge_s(layers, layers.size(), 8, 8), number(row, "edge_sec_w8a8"));
    expect_close(cloud_s(layers, 0), number(row, "cloud_sec_w16a16"));
  }
}

TEST(TileModel, GivesThePublishedLatenciesOfResNet50RelativeToCloudOnly) {
  CLEAVE_NEEDS_SHARED();
  const std::vector<Row> layers = golden("resnet50_layers");
  const double bits_per_s = 8 * link(3).upload_bytes_per_s;
  const double cloud_only_s = 224 * 224 * 3 * 8 / bits_per_s + cloud_s(layers, 0);
  EXPECT_NEAR(cloud_only_s, 0.38862, 5e-6);
  const auto split = [&](std::size_t last, int sent_bits) {
    const double sent_s = static_cast<double>(integer(layers[last], "ofm_vol") * sent_bits) / bits_per_s;
    return (edge_s(layers, last + 1, 8, 8) + sent_s + cloud_s(layers, last + 1)) / cloud_only_s;
  };
  const auto edge_only = [&](int bits) {
    return (edge_s(layers, layers.size(), bits, bits) + 1000 * bits / bits_per_s) / cloud_only_s;
  };
  const double half_a_digit = 0.0005;
  EXPECT_NEAR(split(12, 4), 0.497, half_a_digit);
  EXPECT_NEAR(split(2, 4), 0.679, half_a_digit);
  EXPECT_NEAR(split(12, 7), 0.743, half_a_digit);
  EXPECT_NEAR(split(12, 8), 0.825, half_a_digit);
  EXPECT_NEAR(edge_only(2), 0.913, half_a_digit);
  EXPECT_NEAR(edge_only(4), 0.930, half_a_digit);
  EXPECT_NEAR(edge_only(6), 0.947, half_a_digit);
  EXPECT_NEAR(edge_only(8), 0.964, half_a_digit);
}

}  // namespace
}  // namespace cleave::cost
