#include "networks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "calibration/noise.h"
#include "core/json.h"
#include "cost/tile_hwcf.h"
#include "exec/noise.h"
#include "exec/session.h"
#include "graph/model.h"
#include "graph/onnx_write.h"
#include "graph/prepare.h"
#include "support/error_kind.h"
#include "support/ort.h"
#include "support/shared.h"
#include "support/temporary_folder.h"
#include "unit/cost/golden_csv.h"

namespace cleave::bench {
namespace {

using cost::testing::Row;
using graph::Graph;
using graph::Node;
using graph::TensorId;
using quant::Bits;

/// The network's name as a part of a test's.
std::string identifier(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// ---- Sizes and times as published ------------------------------------------------------------------------------

/// What others say about a network.
struct Published {
  const char* name;
  std::int64_t parameters;   ///< torchvision's num_params; for the Darknet ones the float count of the weights file
                             ///< less the batch norms' means and variances
  double giga_macs;          ///< torchvision's GFLOPS (multiply-accumulates); half of Darknet's BFLOPs
  double giga_macs_rounded;  ///< the last digit of that
  double edge_s, cloud_s;    ///< Auto-Split's simulator: edge at W8A8, cloud at 16 bits, to 1e-5
};

void PrintTo(const Published& row, std::ostream* out) {
  *out << row.name;
}

class PublishedNetworks : public ::testing::TestWithParam<Published> {};
INSTANTIATE_TEST_SUITE_P(
    All, PublishedNetworks,
    ::testing::Values(Published{"resnet18", 11'689'512, 1.814, 1e-3, 0.03265, 0.00208},
                      Published{"resnet50", 25'557'032, 4.089, 1e-3, 0.37192, 0.00581},
                      Published{"resnext50_32x4d", 25'028'904, 4.23, 1e-2, 0.70552, 0.01393},
                      Published{"mobilenet_v2", 3'504'872, 0.301, 1e-3, 0.05417, 0.00625},
                      Published{"mnasnet1_0", 4'383'312, 0.314, 1e-3, 0.05163, 0.00516},
                      Published{"googlenet", 6'624'904, 1.498, 1e-3, 0.06252, 0.00162},
                      Published{"vgg16", 138'357'544, 15.47, 1e-2, 0.13234, 0.00381},
                      Published{"yolov3-416", 62'001'757 - 2 * 26'304, 65.86 / 2, 1e-2, 0.80003, 0.01679},
                      Published{"yolov3-tiny-416", 8'858'734 - 2 * 3'184, 5.56 / 2, 1e-2, 0.04822, 0.00185},
                      Published{"yolov3-spp-416", 63'052'381 - 2 * 26'816, 66.2 / 2, 1e-1, 0.82670, 0.01710}),
    [](const auto& row) { return identifier(row.param.name); });

/// Elements of the constants that training would change: the weights and biases of convolutions and fully connected
/// layers, the scales and shifts of batch norms.
std::int64_t count_parameters(const Graph& graph) {
  std::int64_t count = 0;
  for (const Node& node : graph.nodes()) {
    const bool norm = node.op == "BatchNormalization";
    if (!norm && node.op != "Conv" && node.op != "Gemm") continue;
    for (std::size_t i = 1; i < (norm ? 3 : node.inputs.size()); ++i) {
      count += element_count(graph.tensor(node.inputs[i]).shape);
    }
  }
  return count;
}

std::int64_t count_macs(const Graph& graph) {
  std::int64_t macs = 0;
  for (const graph::Unit& unit : graph.units()) macs += unit.macs;
  return macs;
}

/// Seconds of all convolutions on one of Auto-Split's devices.
double published_seconds(const Graph& graph, const std::string& device, Bits bits) {
  const auto path = cleave::testing::source_dir() / "configs/devices" / (device + ".json");
  const auto model = std::get<cost::TileModel>(cost::Device::from_json(read_json(path), device).model);
  double cycles = 0;
  for (std::size_t u = 0; u < graph.units().size(); ++u) {
    cycles += cost::tile_counts(model, cost::describe(graph, static_cast<graph::UnitId>(u)), bits, bits).cycles;
  }
  return std::floor(cycles) / model.clock_hz;
}

TEST_P(PublishedNetworks, HaveTheirPublishedSizeAndTime) {
  const Published& published = GetParam();
  const NamedNetwork& row = network_named(published.name);
  const Graph written = row.make();
  EXPECT_EQ(count_parameters(written), published.parameters);
  EXPECT_EQ(row.parameters, published.parameters);
  const Graph graph = graph::prepare(written);
  EXPECT_TRUE(graph.fully_shaped());
  EXPECT_EQ(graph.tensor(graph.inputs().front()).shape, (Shape{1, 3, row.side, row.side}));
  EXPECT_EQ(count_macs(graph), row.macs);
  EXPECT_NEAR(static_cast<double>(row.macs) / 1e9, published.giga_macs, published.giga_macs_rounded);
  EXPECT_NEAR(published_seconds(graph, "autosplit-edge", Bits{8}), published.edge_s, 0.5e-5);
  EXPECT_NEAR(published_seconds(graph, "autosplit-cloud", Bits{16}), published.cloud_s, 0.5e-5);
}

// ---- Layer by layer --------------------------------------------------------------------------------------------

class ReferenceNetworks : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, ReferenceNetworks,
                         ::testing::Values("resnet18", "resnet50", "resnext50_32x4d", "mobilenet_v2", "vgg16",
                                           "yolov3-416", "yolov3-spp-416"),
                         [](const auto& name) { return identifier(name.param); });

/// "(1, 3, 224, 224)"
std::string tuple_text(const std::vector<std::int64_t>& values) {
  std::string text;
  for (const std::int64_t value : values) text += (text.empty() ? "(" : ", ") + std::to_string(value);
  return text + ")";
}

/// One convolution or fully connected layer in the columns of the golden tables.
Row layer_row(const Graph& graph, const graph::Unit& unit) {
  const Node& node = graph.node(unit.main);
  Row row = {{"name", unit.name},
             {"type", node.op == "Conv" ? "Conv2d" : "Linear"},
             {"ifm", tuple_text(graph.tensor(node.inputs[0]).shape)},
             {"ofm", tuple_text(graph.tensor(node.outputs[0]).shape)},
             {"wgt_vol", std::to_string(unit.weight_elements)},
             {"mac", std::to_string(unit.macs)}};
  const auto pads = node.integers("pads");
  for (const char* key : {"kernel", "stride", "padding", "groups"}) row[key] = "";
  if (node.op != "Conv") return row;
  row["kernel"] = tuple_text(node.integers("kernel_shape"));
  row["stride"] = tuple_text(node.integers("strides"));
  row["padding"] = tuple_text({pads.at(0), pads.at(1)});
  row["groups"] = std::to_string(node.integer("group", 1));
  return row;
}

std::vector<Row> layer_rows(const Graph& graph) {
  std::vector<Row> rows;
  for (const graph::Unit& unit : graph.units()) {
    if (unit.macs > 0) rows.push_back(layer_row(graph, unit));
  }
  return rows;
}

TEST_P(ReferenceNetworks, EqualTheReferenceLayerByLayer) {
  CLEAVE_NEEDS_SHARED();
  const auto file = std::string(GetParam()) + "_layers.csv";
  std::vector<Row> expected =
      cost::testing::read_csv(cleave::testing::shared_dir() / "golden/autosplit_latency" / file);
  const std::vector<Row> rows = layer_rows(graph::prepare(network_named(GetParam()).make()));
  ASSERT_EQ(rows.size(), expected.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const auto& [key, value] : rows[i]) EXPECT_EQ(value, expected[i].at(key)) << rows[i].at("name") << ' ' << key;
  }
}

// ---- The smaller ones as files and at work ---------------------------------------------------------------------

class SmallNetworks : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, SmallNetworks,
                         ::testing::Values("mobilenet_v2", "mnasnet1_0", "googlenet", "yolov3-tiny-416"),
                         [](const auto& name) { return identifier(name.param); });

TEST_P(SmallNetworks, AreTheSameBytesOnEveryRunAndAreReadBack) {
  const Graph graph = network_named(GetParam()).make();
  const std::string bytes = graph::to_onnx(graph);
  EXPECT_EQ(bytes, graph::to_onnx(network_named(GetParam()).make()));
  const graph::Model model = graph::Model::parse(bytes, GetParam(), {});
  EXPECT_TRUE(model.symbolic_batch());
  EXPECT_EQ(graph::prepare(model).fingerprint(), graph::prepare(graph).fingerprint());
}

TEST_P(SmallNetworks, GiveOnnxRuntimesOutputs) {
  CLEAVE_NEEDS_ORT();
  const cleave::testing::TemporaryFolder folder;
  const Graph graph = network_named(GetParam()).make();
  graph::save_onnx(graph, folder / "network.onnx");
  const Graph prepared = graph::prepare(graph);
  const std::vector<Tensor> inputs = exec::noise_inputs(prepared, 1);
  const auto expected = cleave::testing::ort_run(folder / "network.onnx", {{"input", inputs[0]}});
  const std::vector<Tensor> outputs = exec::Session(prepared).run(inputs);
  ASSERT_EQ(outputs.size(), expected.size());
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    const auto ours = outputs[o].data<float>();
    const auto theirs = expected.at(prepared.tensor(prepared.outputs()[o]).name).data<float>();
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) ASSERT_NEAR(ours[i], theirs[i], 1e-3) << i;
  }
}

TEST_P(SmallNetworks, HaveActivationsThatNeitherVanishNorExplode) {
  const Graph graph = graph::prepare(network_named(GetParam()).make());
  const quant::CalibrationTable table = calibration::calibrate_on_noise(graph);
  for (const auto& [name, statistics] : table.tensors) {
    EXPECT_GT(statistics.counts.max - statistics.counts.min, 0.1) << name;
    EXPECT_LT(std::max(statistics.counts.max, -statistics.counts.min), 100) << name;
  }
}

TEST(Networks, AreFoundByName) {
  for (const NamedNetwork& row : networks()) EXPECT_EQ(&network_named(row.name), &row);
  EXPECT_EQ(testing::kind_of([] { network_named("resnet19"); }), ErrorKind::kUsage);
}

}  // namespace
}  // namespace cleave::bench
