#include "tune/sensitivity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "exec/fake_quantize.h"
#include "exec/session.h"
#include "graph/builder.h"
#include "networks.h"
#include "support/error_kind.h"
#include "support/temporary_folder.h"
#include "tune/output_loss.h"

namespace cleave::tune {
namespace {

using cleave::testing::kind_of;
using cleave::testing::TemporaryFolder;
using graph::Graph;
using testing::small_residual;
using testing::small_samples;

constexpr double kUnits = 68719476736.0;  // of a damage of 1

/// Statistics of every input and unit output over the samples, by the reference kernels.
class Statistics : public exec::ActivationObserver {
 public:
  explicit Statistics(const Graph& graph) : graph_(graph) { table.graph_fingerprint = graph.fingerprint(); }
  void observe(const exec::ActivationView& seen) override {
    const auto count = static_cast<std::size_t>(element_count(seen.shape));
    table.tensors[graph_.tensor(seen.tensor).name].add(
        Tensor::from<float>(seen.shape, std::span<const float>(seen.data, count)));
  }
  quant::CalibrationTable table;

 private:
  const Graph& graph_;
};

quant::CalibrationTable table_of(const Graph& graph, const std::vector<Tensor>& samples) {
  std::vector<graph::TensorId> taps(graph.inputs().begin(), graph.inputs().end());
  for (const graph::Unit& unit : graph.units()) taps.insert(taps.end(), unit.outputs.begin(), unit.outputs.end());
  Statistics statistics(graph);
  exec::Session session(graph, {exec::Kernels::kReference, 1});
  for (const Tensor& sample : samples) session.run(std::span(&sample, 1), taps, statistics);
  return statistics.table;
}

/// small_residual with its first activation as a second output: one that is made before most flips.
Graph two_outputs() {
  const Graph graph = small_residual(4);
  graph::GraphBuilder builder(graph);
  builder.output(*graph.find("a"));
  return builder.build();
}

/// The mean damage of the whole network, fake-quantized as `spec` says, on the reference kernels.
double damage_of(const Graph& graph, const exec::QuantizationSpec& spec, const std::vector<Tensor>& samples) {
  exec::Session floats(graph, {exec::Kernels::kReference, 1});
  exec::Session fake(exec::fake_quantize(graph, spec), {exec::Kernels::kReference, 1});
  double sum = 0;
  for (const Tensor& sample : samples) {
    sum += output_damage(floats.run(std::span(&sample, 1)), fake.run(std::span(&sample, 1)));
  }
  return sum / static_cast<double>(samples.size());
}

exec::QuantizationSpec nothing_rounded(const Graph& graph) {
  exec::QuantizationSpec spec;
  spec.edge = graph::Cut::all(graph);
  return spec;
}

const graph::Unit& unit_named(const Graph& graph, const std::string& name) {
  for (const graph::Unit& unit : graph.units()) {
    if (unit.name == name) return unit;
  }
  throw std::runtime_error("no unit " + name);
}

void expect_damages_of_whole_runs(const Graph& graph) {
  const auto samples = small_samples(6, 11);
  const quant::CalibrationTable calibration = table_of(graph, samples);
  SensitivityOptions options;
  options.weight_bits = {2, 3, 5, 8};
  options.activation_bits = {2, 4, 8};
  SensitivityMeter meter(graph, calibration, options);
  meter.add(samples);
  const auto near = [&](const SensitivityRow& row, const exec::QuantizationSpec& spec) {
    const double expected = damage_of(graph, spec, samples);
    EXPECT_GT(expected, 0) << row.name;
    EXPECT_NEAR(row.damage.mean(6), expected, 0.02 * expected + 1e-8) << row.name << " at " << row.bits;
  };
  ASSERT_EQ(meter.table().weights.size(), 4 * 4U);
  for (const SensitivityRow& row : meter.table().weights) {
    exec::QuantizationSpec spec = nothing_rounded(graph);
    const graph::Unit& unit = unit_named(graph, row.name);
    spec.weights[row.name] = quant::choose_weights(*graph.constant(unit.weight), unit.weight_axis,
                                                   quant::Bits{row.bits}, quant::ClipMethod::kAuto)
                                 .quantizer;
    near(row, spec);
  }
  ASSERT_EQ(meter.table().activations.size(), 7 * 3U);  // all but flatten's
  for (const SensitivityRow& row : meter.table().activations) {
    exec::QuantizationSpec spec = nothing_rounded(graph);
    spec.activations[row.name] = quant::choose_activation(calibration.tensor(row.name).activation_values(),
                                                          quant::Bits{row.bits}, quant::ClipMethod::kAuto)
                                     .quantizer;
    near(row, spec);
  }
}

TEST(Sensitivity, EachFlipDoesWhatFakeQuantizingThatAloneDoesToTheWholeNetwork) {
  expect_damages_of_whole_runs(small_residual(3));
}

TEST(Sensitivity, OutputsMadeBeforeTheFlipCountToo) {
  expect_damages_of_whole_runs(two_outputs());
}

TEST(Sensitivity, DoesNotDependOnThreadsNorOnHowSamplesAreGrouped) {
  const Graph graph = small_residual(7);
  const auto samples = small_samples(5);
  const quant::CalibrationTable calibration = table_of(graph, samples);
  SensitivityOptions options;
  options.weight_bits = options.activation_bits = {3, 8};
  options.threads = 1;
  SensitivityMeter one(graph, calibration, options);
  one.add(samples);
  options.threads = 3;
  SensitivityMeter many(graph, calibration, options);
  many.add(std::span(samples).first(2));
  many.add(std::span(samples).subspan(2));
  EXPECT_EQ(to_text(one.table().to_json()), to_text(many.table().to_json()));
}

TEST(Sensitivity, MoreBitsDoLessHarm) {
  const Graph graph = small_residual(2);
  const auto samples = small_samples(4);
  SensitivityOptions options;
  options.weight_bits = options.activation_bits = {2, 8};
  SensitivityMeter meter(graph, table_of(graph, samples), options);
  meter.add(samples);
  for (const auto* rows : {&meter.table().weights, &meter.table().activations}) {
    for (std::size_t i = 0; i + 1 < rows->size(); i += 2) {
      EXPECT_EQ((*rows)[i].name, (*rows)[i + 1].name);
      EXPECT_GT((*rows)[i].mse_ratio, 100 * (*rows)[i + 1].mse_ratio);
      EXPECT_GT((*rows)[i].damage.units(), 2 * (*rows)[i + 1].damage.units()) << (*rows)[i].name;
    }
  }
}

TEST(Sensitivity, InputsAlwaysHaveEightBits) {
  const Graph graph = small_residual(2);
  SensitivityOptions options;
  options.activation_bits = {4};
  const SensitivityMeter meter(graph, table_of(graph, small_samples(2)), options);
  EXPECT_EQ(meter.table().activations[0].name, "x");
  EXPECT_EQ(meter.table().activations[0].bits, 4);
  EXPECT_EQ(meter.table().activations[1].name, "x");
  EXPECT_EQ(meter.table().activations[1].bits, 8);
  EXPECT_EQ(meter.table().activations[2].bits, 4);
}

TEST(Sensitivity, RefusesAnotherNetworksCalibration) {
  const quant::CalibrationTable calibration = table_of(small_residual(1), small_samples(2));
  const Graph other = small_residual(2);
  EXPECT_EQ(kind_of([&] { SensitivityMeter(other, calibration, {}); }), ErrorKind::kStale);
}

TEST(AffordableSamples, AreFewForLargeNetworksAndManyForSmallOnes) {
  EXPECT_EQ(affordable_samples(small_residual(), {}), 256);
  graph::GraphBuilder b;
  const auto x = b.input("x", DType::kFloat32, {1, 512, 512, 512});
  const auto w = b.constant("w", Tensor(DType::kFloat32, {512, 512, 3, 3}));
  const auto y = b.node("Conv", {x, w}, {"y"}, {{"pads", std::vector<std::int64_t>(4, 1)}})[0];
  b.set_shape(y, DType::kFloat32, {1, 512, 512, 512});
  b.output(y);
  EXPECT_EQ(affordable_samples(b.build(), {}), 8);
}

TEST(DamageSum, ByHand) {
  DamageSum sum;
  sum.add(0.5);
  sum.add(0.25);
  EXPECT_EQ(sum.units(), static_cast<std::int64_t>(0.75 * kUnits));
  EXPECT_DOUBLE_EQ(sum.mean(3), 0.25);
  EXPECT_DOUBLE_EQ(DamageSum().mean(0), 0);
  DamageSum huge;
  huge.add(std::numeric_limits<double>::infinity());
  huge.add(std::numeric_limits<double>::quiet_NaN());
  huge.add(1e300);
  EXPECT_EQ(huge.units(), static_cast<std::int64_t>(3 * 4096 * kUnits));
  DamageSum full(std::numeric_limits<std::int64_t>::max() - 1);
  full.merge(DamageSum(1));
  EXPECT_EQ(kind_of([&] { full.merge(DamageSum(1)); }), ErrorKind::kInvalidInput);
}

/// A table of two rows; shard and images as given.
SensitivityTable small_table(std::int64_t shard, std::int64_t shards, const std::vector<std::string>& images) {
  SensitivityTable table;
  table.made_from = {{"model", "m"}, {"calibration", "c"}};
  table.measure_of = {{"y", "kl"}};
  table.shard_count = shards;
  table.shards = {shard};
  for (const std::string& image : images) table.images.push_back({image, "hash of " + image});
  table.weights = {{"conv", 2, 0.1, {}}, {"conv", 4, 0.01, {}}};
  table.activations = {{"x", 8, 0, {}}};
  for (const std::string& image : images) {
    table.weights[0].damage.add(0.1 * static_cast<double>(image.size()));
    table.weights[1].damage.add(0.01 / static_cast<double>(image.size()));
  }
  return table;
}

TEST(SensitivityTable, ShardsMergeToTheBytesOfOneRun) {
  const std::string whole = to_text(small_table(0, 1, {"a", "bcd", "ef", "g"}).to_json());
  const SensitivityTable a = small_table(0, 3, {"bcd"});
  const SensitivityTable b = small_table(1, 3, {});
  const SensitivityTable c = small_table(2, 3, {"a", "ef", "g"});
  EXPECT_FALSE(merge(a, c).complete());
  EXPECT_EQ(to_text(merge(merge(a, b), c).to_json()), whole);
  EXPECT_EQ(to_text(merge(c, merge(b, a)).to_json()), whole);
  EXPECT_EQ(to_text(merge(small_table(0, 1, {"bcd", "g"}), small_table(0, 1, {"a", "ef"})).to_json()), whole);
}

TEST(SensitivityTable, WhatDoesNotBelongTogetherIsNotMerged) {
  const SensitivityTable a = small_table(0, 3, {"a"});
  EXPECT_EQ(kind_of([&] { tune::merge(a, small_table(0, 3, {"b"})); }), ErrorKind::kInvalidInput);
  EXPECT_EQ(kind_of([&] { tune::merge(a, small_table(1, 3, {"a"})); }), ErrorKind::kInvalidInput);
  EXPECT_EQ(kind_of([&] { tune::merge(a, small_table(1, 2, {"b"})); }), ErrorKind::kInvalidInput);
  SensitivityTable other = small_table(1, 3, {"b"});
  other.weights[1].bits = 5;
  EXPECT_EQ(kind_of([&] { tune::merge(a, other); }), ErrorKind::kStale);
  other = small_table(1, 3, {"b"});
  other.made_from["calibration"] = "d";
  EXPECT_EQ(kind_of([&] { tune::merge(a, other); }), ErrorKind::kStale);
}

TEST(SensitivityTable, ItsFileGivesItBack) {
  const SensitivityTable table = small_table(1, 3, {"a", "b"});
  const Json json = table.to_json();
  EXPECT_EQ(to_text(SensitivityTable::from_json(json, "file").to_json()), to_text(json));
  EXPECT_NEAR(json["weights"][0]["sqnr_db"].get<double>(), 10, 1e-12);
  EXPECT_NEAR(json["weights"][0]["damage"].get<double>(), 0.1, 1e-10);
  EXPECT_TRUE(json["activations"][0]["sqnr_db"].is_null());
  for (const char* place : {"/weights/0/damage_sum", "/weights/0/mse_ratio", "/weights/0/bits", "/shard_count"}) {
    Json bad = json;
    bad[Json::json_pointer(place)] = -1;
    EXPECT_EQ(kind_of([&] { SensitivityTable::from_json(bad, "file"); }), ErrorKind::kInvalidInput) << place;
  }
  Json bad = json;
  std::swap(bad["images"][0], bad["images"][1]);
  EXPECT_EQ(kind_of([&] { SensitivityTable::from_json(bad, "file"); }), ErrorKind::kInvalidInput);
}

TEST(SensitivityTable, IsTakenForItsOwnNetworkAndOnlyWhole) {
  const Graph graph = small_residual(1);
  const TemporaryFolder folder;
  SensitivityTable table = small_table(0, 1, {"a"});
  table.made_from["model"] = graph.fingerprint();
  write_json(folder.path() / "s.json", table.to_json());
  EXPECT_EQ(SensitivityTable::load(folder.path() / "s.json", graph).fingerprint(), table.fingerprint());
  EXPECT_EQ(kind_of([&] { SensitivityTable::load(folder.path() / "s.json", small_residual(2)); }), ErrorKind::kStale);
  table.shard_count = 2;
  write_json(folder.path() / "s.json", table.to_json());
  EXPECT_EQ(kind_of([&] { SensitivityTable::load(folder.path() / "s.json", graph); }), ErrorKind::kInvalidInput);
}

TEST(SensitivityTable, WhatIsOnlyMovedSuffersAsItsSource) {
  const Graph graph = small_residual(1);
  SensitivityTable table = small_table(0, 1, {"a", "b"});
  DamageSum two;
  two.add(2);
  table.activations = {{"g", 4, 0.1, two}, {"r", 4, 0.1, {}}};
  const Damages damages = table.activation_damages(graph);
  EXPECT_EQ(damages.at("f"), (std::map<int, double>{{4, 1.0}}));
  EXPECT_EQ(damages.at("f"), damages.at("g"));
  EXPECT_EQ(damages.size(), 3U);
  EXPECT_NEAR(table.weight_damages().at("conv").at(2), 0.1, 1e-10);
}

}  // namespace
}  // namespace cleave::tune
