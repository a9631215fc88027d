#include "bundle/bundle.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <fstream>

#include "bundle/run_bundle.h"
#include "bundle/verify.h"
#include "core/error.h"
#include "core/file.h"
#include "core/fingerprint.h"
#include "support/error_kind.h"
#include "support/temporary_folder.h"
#include "unit/bundle/fixtures.h"

namespace cleave::bundle {
namespace {

using cleave::testing::kind_of;

using cleave::testing::TemporaryFolder;
using graph::Cut;
using testing::Case;

Case chain() {
  return testing::make_case(testing::chain_network(21), 21, 3);
}
Cut after_pool(const Case& test) {
  return graph::cut_at(test.prepared, {"pool"});
}

InputSource samples_of(const Case& test) {
  return [&test](std::int64_t i) -> std::optional<std::vector<Tensor>> {
    if (i >= static_cast<std::int64_t>(test.samples.size())) return std::nullopt;
    return test.samples[static_cast<std::size_t>(i)];
  };
}

TEST(Bundle, ComesBackFromItsFolder) {
  const Case test = chain();
  const SplitBundle split = test.split(after_pool(test));
  const TemporaryFolder folder;
  save(split, folder / "bundle");
  const LoadedBundle loaded = load(folder / "bundle");
  ASSERT_EQ(loaded.wire.size(), 1U);
  EXPECT_EQ(loaded.wire[0].tensor, "pool");
  EXPECT_EQ(loaded.wire[0].port, "pool_packed");
  EXPECT_EQ(loaded.wire[0].shape, (Shape{1, 8, 4, 3}));
  EXPECT_EQ(loaded.wire[0].quantizer, split.wire[0].quantizer);
  EXPECT_EQ(loaded.wire[0].bytes, 48);  // 96 values of 4 bits
  EXPECT_EQ(loaded.plan.fingerprint(), split.plan.fingerprint());
  EXPECT_EQ(loaded.edge.graph().fingerprint(), split.edge.fingerprint());
  EXPECT_EQ(loaded.preprocess->at("layout"), "NCHW");
}

TEST(Bundle, IsTheSameBytesEveryTime) {
  const Case test = chain();
  const TemporaryFolder folder;
  for (const char* name : {"a", "b"}) save(test.split(after_pool(test)), folder / name);
  for (const char* file : {"edge.onnx", "cloud.onnx", "manifest.json", "preprocess.json", "plan.json"}) {
    EXPECT_EQ(read_file(folder / "a" / file), read_file(folder / "b" / file)) << file;
  }
}

TEST(Bundle, SaysInItsManifestWhatItIs) {
  const Case test = chain();
  const TemporaryFolder folder;
  save(test.split(after_pool(test)), folder / "bundle");
  const Json manifest = read_json(folder / "bundle" / "manifest.json");
  EXPECT_EQ(manifest.at("schema"), "cleave.manifest/1");
  EXPECT_EQ(manifest.at("model").at("sha256"), test.model.sha256());
  EXPECT_EQ(manifest.at("model").at("graph"), test.prepared.fingerprint());
  EXPECT_EQ(manifest.at("batchable"), true);
  EXPECT_EQ(manifest.at("profile"), "ort-cpu");
  EXPECT_EQ(manifest.at("edge").at("sha256"), sha256_hex(read_file(folder / "bundle" / "edge.onnx")));
  EXPECT_EQ(manifest.at("cloud").at("sha256"), sha256_hex(read_file(folder / "bundle" / "cloud.onnx")));
  const Json& wire = manifest.at("wire").at(0);
  EXPECT_EQ(wire.at("layout"), "lut-groups");
  EXPECT_EQ(wire.at("bits"), 4);
  EXPECT_EQ(manifest.at("weights").at("conv1").at("bits"), 8);
  EXPECT_EQ(manifest.at("weights").at("conv1").at("scales").size(), 8U);
  EXPECT_EQ(manifest.at("activations").at("relu1").at("method"), "mse");
  EXPECT_EQ(manifest.at("outputs").at(0).at("side"), "cloud");
}

TEST(Bundle, HasNoCloudWhenNothingCrosses) {
  const Case test = chain();
  const TemporaryFolder folder;
  save(test.split(Cut::all(test.prepared)), folder / "bundle");
  EXPECT_FALSE(std::filesystem::exists(folder / "bundle" / "cloud.onnx"));
  EXPECT_TRUE(read_json(folder / "bundle" / "manifest.json").at("cloud").is_null());
  const LoadedBundle loaded = load(folder / "bundle");
  EXPECT_FALSE(loaded.cloud);
  BundleRunner runner(loaded);
  EXPECT_EQ(runner.run(test.samples[0]).at(0).shape(), (Shape{1, 5}));
}

TEST(Bundle, PassesItsOwnVerification) {
  const Case test = chain();
  const TemporaryFolder folder;
  for (std::size_t units = 0; units <= test.prepared.units().size(); ++units) {
    for (const bool quantize : {true, false}) {
      save(test.split(testing::prefix(test.prepared, units), {4, 6, 5, "anywhere"}, {quantize}), folder / "bundle");
      const Verification result = verify(load(folder / "bundle"), test.model, samples_of(test));
      EXPECT_TRUE(result.pass) << units << " " << result.to_json().dump();
      EXPECT_EQ(result.images, 3);
      const double to_float = result.max_rel_error_to_float;
      EXPECT_TRUE(quantize ? to_float > 1e-4 : to_float < 1e-5) << to_float;  // 4 to 6 bits are seen at the output
    }
  }
}

TEST(Bundle, PassesWithSeveralCrossingTensorsAndResults) {
  const Case test = testing::make_case(testing::residual_network(22), 22, 2);
  const TemporaryFolder folder;
  for (const char* result_at : {"anywhere", "cloud"}) {
    for (const int wire : {3, 32}) {
      for (std::size_t units = 0; units <= test.prepared.units().size(); ++units) {
        save(test.split(testing::prefix(test.prepared, units), {8, 8, wire, result_at}), folder / "bundle");
        const Verification result = verify(load(folder / "bundle"), test.model, samples_of(test));
        EXPECT_TRUE(result.pass) << result_at << " " << wire << " " << units << " " << result.to_json().dump();
      }
    }
  }
}

TEST(Bundle, RefusesHalvesOfDifferentBundles) {
  const Case test = chain();
  const Case other = testing::make_case(testing::chain_network(23), 23, 1);
  const TemporaryFolder folder;
  SplitBundle split = test.split(after_pool(test));
  split.cloud = other.split(after_pool(other)).cloud;
  save(split, folder / "bundle");
  EXPECT_EQ(kind_of([&] { load(folder / "bundle"); }), ErrorKind::kStale);
}

TEST(Bundle, FailsVerificationWhenTheCloudIsAnotherNetwork) {
  const Case test = chain();
  const Case other = testing::make_case(testing::chain_network(23), 23, 1);
  const TemporaryFolder folder;
  save(test.split(after_pool(test)), folder / "bundle");
  save(other.split(after_pool(other)), folder / "other");
  LoadedBundle loaded = load(folder / "bundle");
  loaded.cloud = load(folder / "other").cloud;
  const Verification result = verify(loaded, test.model, samples_of(test));
  EXPECT_FALSE(result.pass);
  EXPECT_EQ(result.crossing_codes_differing, 0);
  EXPECT_GT(result.max_rel_error, 1e-4);
}

TEST(Bundle, FailsVerificationWhenTheEdgeRoundsDifferently) {
  const Case test = chain();
  const TemporaryFolder folder;
  save(test.split(after_pool(test)), folder / "bundle");
  LoadedBundle loaded = load(folder / "bundle");
  Json manifest = *loaded.manifest;
  Json& scale = manifest.at("activations").at("relu1").at("scale");
  scale = scale.get<double>() * 1.5;
  loaded.manifest = std::make_shared<const Json>(std::move(manifest));
  const Verification result = verify(loaded, test.model, samples_of(test));
  EXPECT_FALSE(result.pass);
  EXPECT_GT(result.crossing_codes_differing, 0);
}

TEST(Bundle, RefusesAPlanOfAnotherNetworkOrTable) {
  const Case test = chain();
  const Case other = testing::make_case(testing::chain_network(24), 24, 1);
  const auto plan = testing::plan_for(test.prepared, after_pool(test), test.table);
  EXPECT_EQ(kind_of([&] { make(other.model, other.prepared, plan, other.table); }), ErrorKind::kStale);
  EXPECT_EQ(kind_of([&] { make(test.model, test.prepared, plan, other.table); }), ErrorKind::kStale);
  quant::CalibrationTable changed = test.table;
  changed.images.push_back({"more.jpg", std::string(64, '0'), 1});
  EXPECT_EQ(kind_of([&] { make(test.model, test.prepared, plan, changed); }), ErrorKind::kStale);
}

TEST(Bundle, RefusesAPlanThatIsNoCut) {
  const Case test = chain();
  auto plan = testing::plan_for(test.prepared, after_pool(test), test.table);
  plan.status = search::Status::kInfeasible;
  EXPECT_EQ(kind_of([&] { make(test.model, test.prepared, plan, test.table); }), ErrorKind::kConstraint);
  plan.status = search::Status::kFeasible;
  plan.edge_units.erase(plan.edge_units.begin());
  EXPECT_EQ(kind_of([&] { make(test.model, test.prepared, plan, test.table); }), ErrorKind::kInvalidInput);
  plan = testing::plan_for(test.prepared, after_pool(test), test.table);
  plan.crossing[0].tensor = "relu1";
  EXPECT_EQ(kind_of([&] { make(test.model, test.prepared, plan, test.table); }), ErrorKind::kInvalidInput);
}

TEST(Bundle, IsStaleWhenAFileOfItChanged) {
  const Case test = chain();
  const TemporaryFolder folder;
  save(test.split(after_pool(test)), folder / "bundle");
  save(test.split(after_pool(test), {4, 4, 4, "anywhere"}), folder / "other");
  const auto copy = std::filesystem::copy_options::overwrite_existing;
  std::filesystem::copy_file(folder / "other" / "edge.onnx", folder / "bundle" / "edge.onnx", copy);
  EXPECT_EQ(kind_of([&] { load(folder / "bundle"); }), ErrorKind::kStale);
}

TEST(Bundle, IsStaleBesideAnotherPlanOrModel) {
  const Case test = chain();
  const TemporaryFolder folder;
  save(test.split(after_pool(test)), folder / "bundle");
  const Case other = testing::make_case(testing::chain_network(25), 25, 1);
  EXPECT_EQ(kind_of([&] { verify(load(folder / "bundle"), other.model, samples_of(other)); }), ErrorKind::kStale);
  search::Plan plan = load(folder / "bundle").plan;
  plan.seed += 1;
  plan.save(folder / "bundle" / "plan.json");
  EXPECT_EQ(kind_of([&] { load(folder / "bundle"); }), ErrorKind::kStale);
}

TEST(Bundle, RefusesAFolderThatIsNone) {
  const TemporaryFolder folder;
  EXPECT_EQ(kind_of([&] { load(folder.path()); }), ErrorKind::kInvalidInput);
  write_file_atomically(folder / "manifest.json", "{\"schema\": \"cleave.plan/1\"}");
  EXPECT_EQ(kind_of([&] { load(folder.path()); }), ErrorKind::kInvalidInput);
}

TEST(Bundle, NeedsAnImageToVerify) {
  const Case test = chain();
  const TemporaryFolder folder;
  save(test.split(after_pool(test)), folder / "bundle");
  const LoadedBundle loaded = load(folder / "bundle");
  const auto none = [](std::int64_t) -> std::optional<std::vector<Tensor>> { return std::nullopt; };
  EXPECT_EQ(kind_of([&] { verify(loaded, test.model, none); }), ErrorKind::kInvalidInput);
}

TEST(QuantizationSpec, HandsQuantizersThroughUnitsThatOnlyMoveValues) {
  const Case test = chain();
  const auto plan = testing::plan_for(test.prepared, Cut::all(test.prepared), test.table);
  const auto spec = quantization_spec(test.prepared, plan, test.table);
  EXPECT_EQ(spec.activations.at("pool"), spec.activations.at("relu1"));
  EXPECT_EQ(spec.activations.at("flat"), spec.activations.at("mean"));
  EXPECT_NE(spec.activations.at("mean"), spec.activations.at("clip2"));
}

TEST(QuantizationSpec, EndsAGridWhereTheClipEndsTheValues) {
  Case test = chain();
  quant::TensorStatistics& seen = test.table.tensors.at("clip2");
  seen = {};
  for (int i = 0; i < 100; ++i) seen.histogram.add(6.4F);
  seen.counts = {6.4F, 6.4F, 100, 0, 0, 0};
  const auto plan = testing::plan_for(test.prepared, Cut::all(test.prepared), test.table);
  const auto quantizer = quantization_spec(test.prepared, plan, test.table).activations.at("clip2");
  EXPECT_FLOAT_EQ(quantizer.scale * 255, 6);
}

TEST(QuantizationSpec, SendsTheEdgesOwnCodesWhereBitsAgree) {
  const Case test = testing::make_case(testing::residual_network(26), 26, 1);
  const Cut cut = graph::cut_at(test.prepared, {"a1_relu"});
  const auto plan = testing::plan_for(test.prepared, cut, test.table, {8, 8, 8, "anywhere"});
  const auto spec = quantization_spec(test.prepared, plan, test.table);
  EXPECT_EQ(spec.wire.at("stem_relu"), spec.activations.at("stem_relu"));
  EXPECT_EQ(spec.wire.at("stem_relu").zero_point, 0);  // behind a ReLU
  EXPECT_EQ(spec.weights.size(), 2U);
}

}  // namespace
}  // namespace cleave::bundle
