#include "tune/tune.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "exec/fake_quantize.h"
#include "exec/spec_json.h"
#include "networks.h"
#include "support/error_kind.h"
#include "support/temporary_folder.h"
#include "tune/joint_progress.h"
#include "tune/network_loss.h"
#include "tune/tuned_file.h"

namespace cleave::tune {
namespace {

using testing::plain_spec;
using testing::small_residual;
using testing::small_samples;

TuneOptions with_steps_of(const std::string& text, int threads = 2) {
  TuneOptions options;
  options.steps = steps_from_text(text);
  options.threads = threads;
  return options;
}

/// Mean damage on samples that tuning has not seen, through the fake-quantized network itself.
double damage_elsewhere(const graph::Graph& graph, const exec::QuantizationSpec& spec) {
  const auto samples = small_samples(64, 77);
  exec::Session whole(exec::fake_quantize(graph, spec));
  exec::Session reference(graph);
  double sum = 0;
  for (const Tensor& sample : samples) {
    const auto wanted = reference.run(std::span(&sample, 1));
    const auto got = whole.run(std::span(&sample, 1));
    for (std::size_t i = 0; i < wanted[0].data<float>().size(); ++i) {
      const double d = double{wanted[0].data<float>()[i]} - double{got[0].data<float>()[i]};
      sum += d * d;
    }
  }
  return sum;
}

TEST(Tune, EveryUnitStepLowersTheErrorOnSamplesItHasNotSeen) {
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    const graph::Graph graph = small_residual(seed);
    const auto samples = small_samples(48);
    const auto spec = plain_spec(graph, samples, 3, 8);
    const double before = damage_elsewhere(graph, spec);
    for (const char* steps : {"gptq", "gptq,bias", "gptq,compensate,bias"}) {
      const Tuned tuned = tune(graph, spec, samples, with_steps_of(steps));
      EXPECT_LT(damage_elsewhere(graph, tuned.spec), 0.8 * before) << steps << ", seed " << seed;
    }
  }
}

TEST(Tune, NoUnitIsLeftWorseThanRoundedToTheNearest) {
  const graph::Graph graph = small_residual(4);
  const auto samples = small_samples(24);
  const Tuned tuned = tune(graph, plain_spec(graph, samples, 2, 4), samples, with_steps_of("default"));
  ASSERT_EQ(tuned.units.size(), 4U);  // conv1, dw, pw, fc
  for (const UnitReport& unit : tuned.units) EXPECT_LE(unit.error_after, unit.error_before) << unit.unit;
}

TEST(Tune, WithoutStepsGivesPlainRounding) {
  const graph::Graph graph = small_residual(5);
  const auto samples = small_samples(8);
  const auto spec = plain_spec(graph, samples, 4, 8);
  const Tuned tuned = tune(graph, spec, samples, with_steps_of("none"));
  EXPECT_EQ(tuned.spec.activations, spec.activations);
  for (const graph::Unit& unit : graph.units()) {
    if (unit.weight == graph::TensorId::kNone) continue;
    const Tensor plain = quant::weight_codes(*graph.constant(unit.weight), tuned.spec.weights.at(unit.name));
    EXPECT_TRUE(std::ranges::equal(tuned.spec.weight_codes.at(unit.name).raw(), plain.raw())) << unit.name;
  }
  EXPECT_TRUE(tuned.spec.biases.empty());
}

TEST(Tune, TheResultDoesNotDependOnTheThreads) {
  const graph::Graph graph = small_residual(6);
  const auto samples = small_samples(20);
  const auto spec = plain_spec(graph, samples, 3, 4);
  const auto text = [&](int threads) {
    const Tuned tuned = tune(graph, spec, samples, with_steps_of("default,refine", threads));
    return exec::spec_json(graph, tuned.spec).dump();
  };
  const std::string one = text(1);
  EXPECT_EQ(text(2), one);
  EXPECT_EQ(text(5), one);
}

TEST(Tune, MovedValuesStayOnTheirSourcesGrid) {
  const graph::Graph graph = small_residual(7);
  const auto samples = small_samples(8);
  for (const char* steps : {"grids", "refine", "default,refine"}) {
    const Tuned tuned = tune(graph, plain_spec(graph, samples, 4, 4), samples, with_steps_of(steps));
    EXPECT_EQ(tuned.spec.activations.at("f"), tuned.spec.activations.at("g")) << steps;
  }
}

TEST(Tune, ACrossingTensorIsSentOnItsEdgeGrid) {
  const graph::Graph graph = small_residual(8);
  const auto samples = small_samples(8);
  auto spec = plain_spec(graph, samples, 4, 4);
  spec.edge.on_edge = {true, true, true, false, false, false, false};
  spec.wire["a"] = spec.activations.at("a");
  spec.wire["pw"] = quant::affine_quantizer({-3, 3}, quant::Bits{3});
  for (const char* other : {"r", "g", "f"}) spec.activations.erase(other);
  spec.weights.erase("fc");
  const Tuned tuned = tune(graph, spec, samples, with_steps_of("grids,gptq,bias,refine"));
  EXPECT_EQ(tuned.spec.wire.at("a"), tuned.spec.activations.at("a"));
  EXPECT_EQ(tuned.spec.wire.at("pw"), spec.wire.at("pw"));
  EXPECT_FALSE(tuned.spec.weight_codes.contains("fc"));
}

TEST(Tune, RefusesWithoutSamplesAndStopsWhenAsked) {
  const graph::Graph graph = small_residual();
  const auto samples = small_samples(2);
  const auto spec = plain_spec(graph, samples, 4, 8);
  EXPECT_EQ(cleave::testing::kind_of([&] { tune(graph, spec, {}, {}); }), ErrorKind::kInvalidInput);
  std::stop_source stop;
  stop.request_stop();
  StageControl control;
  control.stop = stop.get_token();
  EXPECT_EQ(cleave::testing::kind_of([&] { tune(graph, spec, samples, {}, control); }), ErrorKind::kInterrupted);
}

TEST(JointSearch, NeverEndsAboveItsStartAndItsLossIsTheNetworksOwn) {
  for (const std::uint32_t seed : {1U, 2U}) {
    const graph::Graph graph = small_residual(seed);
    const auto samples = small_samples(24);
    const auto spec = plain_spec(graph, samples, 3, 3);
    const NetworkLoss loss(graph, samples, {}, 2);
    const JointResult result = joint_search(graph, spec, loss, {});
    EXPECT_NEAR(result.loss_before, loss.of(spec), 1e-9);
    EXPECT_LT(result.loss_after, 0.9 * result.loss_before);
    EXPECT_NEAR(loss.of(result.spec), result.loss_after, 1e-4 * result.loss_after);
  }
}

TEST(JointSearch, OutOfTimeGivesTheBestSoFar) {
  const graph::Graph graph = small_residual(2);
  const auto samples = small_samples(8);
  const auto spec = plain_spec(graph, samples, 3, 3);
  const NetworkLoss loss(graph, samples, {}, 1);
  JointOptions options;
  int asked = 0;
  options.out_of_time = [&asked] { return ++asked > 3; };
  const JointResult result = joint_search(graph, spec, loss, options);
  EXPECT_FALSE(result.finished);
  EXPECT_LE(result.loss_after, result.loss_before);
  EXPECT_NEAR(loss.of(result.spec), result.loss_after, 1e-4);
}

TEST(JointSearch, AnInterruptedSearchGoesOnToTheSameEnd) {
  const graph::Graph graph = small_residual(3);
  const auto samples = small_samples(8);
  const auto spec = plain_spec(graph, samples, 3, 3);
  const NetworkLoss loss(graph, samples, {}, 1);
  JointOptions options;
  options.sweeps = 1;
  std::vector<JointState> states;
  options.on_state = [&states](const JointState& state) { states.push_back(state); };
  const JointResult whole = joint_search(graph, spec, loss, options);
  ASSERT_GE(states.size(), 5U);
  const cleave::testing::TemporaryFolder folder;
  save_progress(folder / "p.json", {Step::kRefine, states[3]}, "identity");
  EXPECT_EQ(cleave::testing::kind_of([&] { load_progress(folder / "p.json", "another"); }), ErrorKind::kStale);
  const JointProgress progress = load_progress(folder / "p.json", "identity");
  EXPECT_EQ(progress.step, Step::kRefine);
  EXPECT_TRUE(progress.state == states[3]);
  options.resume = progress.state;
  const JointResult rest = joint_search(graph, spec, loss, options);
  for (const auto& [name, grid] : whole.spec.weights) {
    for (std::size_t c = 0; c < grid.scales.size(); ++c) {
      EXPECT_NEAR(rest.spec.weights.at(name).scales[c] / grid.scales[c], 1, 0.05) << name;
    }
  }
  EXPECT_NEAR(rest.loss_after, whole.loss_after, 0.02 * whole.loss_after);
  options.resume->steps.weights["unknown"] = 0;
  EXPECT_EQ(cleave::testing::kind_of([&] { joint_search(graph, spec, loss, options); }), ErrorKind::kStale);
}

TEST(TunedFile, ComesBackAsItWas) {
  const graph::Graph graph = small_residual(9);
  const auto samples = small_samples(8);
  const Tuned tuned = tune(graph, plain_spec(graph, samples, 3, 5), samples, with_steps_of("default"));
  const TunedOrigin origin{{{"model", graph.fingerprint()}, {"calibration", "c"}}, "W3A5", "gptq", 8};
  const cleave::testing::TemporaryFolder folder;
  write_json(folder / "t.json", tuned_json(graph, tuned, origin));
  const TunedFile file = load_tuned(folder / "t.json", graph);
  EXPECT_EQ(exec::spec_json(graph, file.spec).dump(), exec::spec_json(graph, tuned.spec).dump());
  EXPECT_EQ(file.origin.bits, "W3A5");
  EXPECT_EQ(file.origin.samples, 8);
  EXPECT_EQ(cleave::testing::kind_of([&] { load_tuned(folder / "t.json", small_residual(10)); }), ErrorKind::kStale);
}

TEST(TunedFile, WhatDoesNotFitIsRefused) {
  const graph::Graph graph = small_residual(9);
  const auto samples = small_samples(4);
  const Tuned tuned = tune(graph, plain_spec(graph, samples, 3, 5), samples, with_steps_of("gptq"));
  const Json whole = tuned_json(graph, tuned, {{{"model", graph.fingerprint()}}, "W3A5", "gptq", 4});
  const cleave::testing::TemporaryFolder folder;
  const auto kind_after = [&](const std::function<void(Json&)>& damage) {
    Json document = whole;
    damage(document);
    write_json(folder / "t.json", document);
    return cleave::testing::kind_of([&] { load_tuned(folder / "t.json", graph); });
  };
  const auto weights = [](Json& d) -> Json& { return d["spec"]["weights"]["pw"]; };
  std::string codes_of_127;  // 64 of them
  for (int i = 0; i < 21; ++i) codes_of_127 += "f39/";
  codes_of_127 += "fw";
  EXPECT_EQ(kind_after([&](Json& d) { weights(d)["codes"] = "AAAA"; }), ErrorKind::kInvalidInput);
  EXPECT_EQ(kind_after([&](Json& d) { weights(d)["codes"] = codes_of_127; }), ErrorKind::kInvalidInput);
  EXPECT_EQ(kind_after([&](Json& d) { weights(d)["codes"] = "!"; }), ErrorKind::kInvalidInput);
  EXPECT_EQ(kind_after([&](Json& d) { weights(d)["bits"] = 9; }), ErrorKind::kInvalidInput);
  EXPECT_EQ(kind_after([&](Json& d) { weights(d)["axis"] = 7; }), ErrorKind::kInvalidInput);
  EXPECT_EQ(kind_after([&](Json& d) { weights(d)["scales"].erase(0); }), ErrorKind::kInvalidInput);
  EXPECT_EQ(kind_after([&](Json& d) { weights(d)["more"] = 1; }), ErrorKind::kInvalidInput);
  EXPECT_EQ(kind_after([&](Json& d) { d["spec"]["activations"]["a"]["scale"] = -1; }), ErrorKind::kInvalidInput);
  EXPECT_EQ(kind_after([&](Json& d) { d["spec"]["weights"]["add"] = weights(d); }), ErrorKind::kStale);
  EXPECT_EQ(kind_after([&](Json& d) { d["spec"]["edge_units"].push_back("nobody"); }), ErrorKind::kStale);
}

TEST(Steps, ListsChangeTheDefault) {
  EXPECT_EQ(steps_text(steps_from_text("gptq,bias")), "gptq,bias");
  EXPECT_EQ(steps_from_text("default"), default_steps());
  EXPECT_EQ(steps_from_text("none"), Steps{});
  EXPECT_EQ(steps_from_text("all").size(), tuning_steps().size());
  EXPECT_FALSE(steps_from_text("default,-gptq").contains(Step::kGptq));
  EXPECT_TRUE(steps_from_text("none,+lapq").contains(Step::kLapq));
  EXPECT_EQ(cleave::testing::kind_of([] { steps_from_text("gtpq"); }), ErrorKind::kUsage);
  EXPECT_EQ(cleave::testing::kind_of([] { steps_from_text("loosen,gptq"); }), ErrorKind::kUsage);
}

}  // namespace
}  // namespace cleave::tune
