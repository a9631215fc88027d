#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bundle/bundle.h"
#include "bundle/verify.h"
#include "core/error.h"
#include "core/file.h"
#include "support/error_kind.h"
#include "support/temporary_folder.h"
#include "tune/tuned_file.h"
#include "unit/bundle/fixtures.h"

namespace cleave::bundle {
namespace {

using cleave::testing::kind_of;
using cleave::testing::TemporaryFolder;
using testing::Case;

/// A small network, cut behind its pool, with what tuning made of it.
struct TunedCase {
  Case base = testing::make_case(testing::chain_network(21), 21, 6);
  graph::Cut cut = graph::cut_at(base.prepared, {"pool"});
  search::Plan plan = testing::plan_for(base.prepared, cut, base.table, {4, 8, 8, "anywhere"});

  Json tuned(const search::Plan& of) const {
    std::vector<Tensor> samples;
    for (const auto& sample : base.samples) samples.push_back(sample[0]);
    tune::TuneOptions options;
    options.steps = tune::steps_from_text("gptq,bias");
    tune::TunedOrigin origin;
    origin.made_from = {
        {"model", base.prepared.fingerprint()}, {"calibration", base.table.fingerprint()}, {"plan", of.fingerprint()}};
    origin.bits = "plan";
    const auto spec = quantization_spec(base.prepared, of, base.table);
    return tune::tuned_json(base.prepared, tune::tune(base.prepared, spec, samples, options), origin);
  }

  SplitBundle split(const Json& document) const {
    const auto file = tune::tuned_from_json(std::make_shared<const Json>(document), "tuned.json", base.prepared);
    ExportOptions options;
    options.tuned = &file;
    return make(base.model, base.prepared, plan, base.table, options);
  }

  InputSource samples() const {
    return [this](std::int64_t i) -> std::optional<std::vector<Tensor>> {
      if (i >= static_cast<std::int64_t>(base.samples.size())) return std::nullopt;
      return base.samples[static_cast<std::size_t>(i)];
    };
  }
};

TEST(TunedBundle, VerifiesWithItsOwnCodesAndBiases) {
  const TunedCase test;
  const SplitBundle split = test.split(test.tuned(test.plan));
  ASSERT_TRUE(split.spec.weight_codes.contains("conv1"));
  const TemporaryFolder folder;
  save(split, folder / "bundle");
  const LoadedBundle loaded = load(folder / "bundle");
  ASSERT_NE(loaded.tuned, nullptr);
  const Verification verification = verify(loaded, test.base.model, test.samples());
  EXPECT_TRUE(verification.pass) << verification.to_json().dump();
  EXPECT_GT(verification.crossing_codes, 0);
  EXPECT_EQ(verification.crossing_codes_differing, 0);
}

TEST(TunedBundle, IsAnotherBundleThanThePlainOne) {
  const TunedCase test;
  const SplitBundle plain = make(test.base.model, test.base.prepared, test.plan, test.base.table);
  const SplitBundle tuned = test.split(test.tuned(test.plan));
  EXPECT_NE(plain.manifest->at("pairing"), tuned.manifest->at("pairing"));
  EXPECT_NE(plain.edge.fingerprint(), tuned.edge.fingerprint());
  EXPECT_EQ(tuned.manifest->at("activations").at("relu1").at("method"), "tuned");
  EXPECT_EQ(tuned.manifest->at("wire").at(0).at("method"), "tuned");
}

TEST(TunedBundle, RecordsItsFileOrNull) {
  const TunedCase test;
  const TemporaryFolder folder;
  save(make(test.base.model, test.base.prepared, test.plan, test.base.table), folder / "plain");
  EXPECT_TRUE(read_json(folder / "plain" / "manifest.json").at("tuned").is_null());
  EXPECT_EQ(load(folder / "plain").tuned, nullptr);
  const Json document = test.tuned(test.plan);
  save(test.split(document), folder / "plain");  // in place of the older one
  save(make(test.base.model, test.base.prepared, test.plan, test.base.table), folder / "plain");
  save(test.split(document), folder / "tuned");
  EXPECT_EQ(read_json(folder / "tuned" / "tuned.json"), document);
  EXPECT_EQ(read_json(folder / "tuned" / "manifest.json").at("tuned").at("file"), "tuned.json");
}

TEST(TunedBundle, RefusesAFileThatWasChangedAfterwards) {
  const TunedCase test;
  const TemporaryFolder folder;
  save(test.split(test.tuned(test.plan)), folder / "bundle");
  write_file_atomically(folder / "bundle" / "tuned.json", read_file(folder / "bundle" / "tuned.json") + " ");
  EXPECT_EQ(kind_of([&] { load(folder / "bundle"); }), ErrorKind::kStale);
}

TEST(TunedBundle, RefusesWhatWasTunedForSomethingElse) {
  const TunedCase test;
  search::Plan other = test.plan;
  other.latency_ms = 17;
  EXPECT_EQ(kind_of([&] { test.split(test.tuned(other)); }), ErrorKind::kStale);
  const Json good = test.tuned(test.plan);
  for (const char* key : {"model", "calibration", "plan"}) {
    Json document = good;
    document["made_from"][key] = std::string(64, '0');
    EXPECT_EQ(kind_of([&] { test.split(document); }), ErrorKind::kStale) << key;
  }
  Json uniform = good;
  uniform["made_from"].erase("plan");
  uniform["bits"] = "W4A8";
  EXPECT_EQ(kind_of([&] { test.split(uniform); }), ErrorKind::kStale);
}

TEST(TunedBundle, RefusesAFileThatDoesNotDecideWhatItsPlanDecides) {
  const TunedCase test;
  const Json good = test.tuned(test.plan);
  for (const char* part : {"activations", "wire", "weights"}) {
    Json fewer = good;
    fewer["spec"][part].erase(fewer["spec"][part].begin());
    EXPECT_EQ(kind_of([&] { test.split(fewer); }), ErrorKind::kInvalidInput) << part;
  }
  Json longer = good;
  longer["spec"]["edge_units"].push_back("conv2");
  EXPECT_EQ(kind_of([&] { test.split(longer); }), ErrorKind::kInvalidInput);
  Json wider = good;
  wider["spec"]["weights"]["conv1"]["bits"] = 8;
  EXPECT_EQ(kind_of([&] { test.split(wider); }), ErrorKind::kInvalidInput);
}

TEST(TunedBundle, RefusesCodesThatAreNone) {
  const TunedCase test;
  Json cut_short = test.tuned(test.plan);
  cut_short["spec"]["weights"]["conv1"]["codes"] = "AAAA";
  EXPECT_EQ(kind_of([&] { test.split(cut_short); }), ErrorKind::kInvalidInput);
}

}  // namespace
}  // namespace cleave::bundle
