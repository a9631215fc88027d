#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "config/presets.h"
#include "cost/device.h"
#include "graph/prepare.h"
#include "support/shared.h"

namespace cleave::config {
namespace {

namespace fs = std::filesystem;
using cost::Device;
using cost::UnitWork;

graph::Graph load(const fs::path& path) {
  return graph::prepare(graph::Model::load(path));
}

graph::Graph load_named(const std::string& name) {
  return load(testing::shared_dir() / "data/models" / (name + ".onnx"));
}

std::vector<UnitWork> works(const graph::Graph& graph) {
  std::vector<UnitWork> all;
  for (std::size_t u = 0; u < graph.units().size(); ++u)
    all.push_back(cost::describe(graph, static_cast<graph::UnitId>(u)));
  return all;
}

double total_macs(const graph::Graph& graph) {
  double macs = 0;
  for (const UnitWork& work : works(graph)) macs += static_cast<double>(work.macs);
  return macs;
}

Device preset(const std::string& name) {
  const Found found = find_document("devices", name);
  return Device::from_json(found.json, found.origin);
}

double network_seconds(const Device& device, const graph::Graph& graph, int bits) {
  double seconds = 0;
  const std::vector<UnitWork> all = works(graph);
  for (std::size_t u = 0; u < all.size(); ++u) {
    const auto unit_s = cost::unit_seconds(device, graph.units()[u].name, all[u], quant::Bits{bits}, quant::Bits{bits});
    seconds += unit_s.value_or(0);
  }
  return seconds;
}

TEST(RealNetworks, HaveAsManyMacsAsPublished) {
  CLEAVE_NEEDS_SHARED();
  EXPECT_NEAR(total_macs(load_named("mobilenet_v2_1.0_224")), 301e6, 2e6);  // Sandler et al., CVPR 2018: 300 M
  EXPECT_NEAR(total_macs(load_named("squeezenet1.1")), 349e6, 4e6);         // torchvision: 0.35 G
  EXPECT_NEAR(total_macs(load_named("resnet20_cifar10")), 40.6e6, 0.6e6);   // He et al., CVPR 2016, table 6: 41 M
}

TEST(RealNetworks, AreDescribedUnitByUnitAsTheGraphCountsThem) {
  CLEAVE_NEEDS_SHARED();
  for (const auto& entry : fs::directory_iterator(testing::shared_dir() / "data/models")) {
    if (entry.path().extension() != ".onnx") continue;
    const graph::Graph graph = load(entry.path());
    const std::vector<UnitWork> all = works(graph);
    for (std::size_t u = 0; u < all.size(); ++u) {
      EXPECT_EQ(all[u].macs, graph.units()[u].macs) << entry.path() << ": " << graph.units()[u].name;
      EXPECT_EQ(all[u].is_convolution, all[u].macs > 0) << entry.path() << ": " << graph.units()[u].name;
    }
  }
}

TEST(RealNetworks, HaveAPriceOnEveryPreset) {
  CLEAVE_NEEDS_SHARED();
  const graph::Graph graph = load_named("mobilenet_v2_1.0_224");
  for (const std::string& name : preset_names("devices")) {
    const Device device = preset(name);
    const double narrow_s = network_seconds(device, graph, 2);
    const double wide_s = network_seconds(device, graph, device.float_bits.count);
    EXPECT_GT(narrow_s, 0) << name;
    EXPECT_GT(wide_s, narrow_s) << name;
    EXPECT_TRUE(std::isfinite(wide_s)) << name;
    RecordProperty(name + "_8bit_ms", std::to_string(1e3 * network_seconds(device, graph, 8)));
    RecordProperty(name + "_float_ms", std::to_string(1e3 * wide_s));
  }
}

TEST(RealNetworks, CostOnAutoSplitsDevicesWhatItsReleasedSimulatorSays) {
  CLEAVE_NEEDS_SHARED();
  // MobileNet-v2: 10 962 527 edge cycles at W8A8 and 9 153 955 cloud cycles at W16A16, each the whole cycles of a sum.
  // There the classifier is a matrix product and free; here it is a 1 x 1 convolution of 1280 to 1001 channels: its
  // weights, then 107 tiles of ceil(1001 / 7) products (10 of 2 * ceil(1001 / 128)) and 1001 sums in all but the first,
  // which on the cloud waits for its 256 bytes instead.
  const double edge_classifier = 0.202381 * 1280 * 1001 + 107 * 143 + 106 * 1001;
  const double cloud_classifier = 0.112680288 * 2 * (1280 * 1001 + 128) + 9 * (16 + 1001);
  const graph::Graph graph = load_named("mobilenet_v2_1.0_224");
  const double edge_cycles = network_seconds(preset("autosplit-edge"), graph, 8) * 202.3809524e6;
  const double cloud_cycles = network_seconds(preset("autosplit-cloud"), graph, 16) * 1464.84375e6;
  EXPECT_EQ(std::floor(edge_cycles - edge_classifier), 10'962'527);
  EXPECT_EQ(std::floor(cloud_cycles - cloud_classifier), 9'153'955);
}

TEST(RealNetworks, AreSlowerOnAnEdgeThanOnACloud) {
  CLEAVE_NEEDS_SHARED();
  const Device cloud = preset("tpu-v1");
  for (const char* network : {"mobilenet_v2_1.0_224", "squeezenet1.1", "resnet50v2_stages1to3_features"}) {
    const graph::Graph graph = load_named(network);
    const double cloud_s = network_seconds(cloud, graph, cloud.float_bits.count);
    for (const char* edge : {"eyeriss", "raspberry-pi-5"}) {
      EXPECT_GT(network_seconds(preset(edge), graph, 8), cloud_s) << network << " on " << edge;
    }
  }
}

}  // namespace
}  // namespace cleave::config
