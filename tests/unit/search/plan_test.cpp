#include "search/plan.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "search/baselines.h"
#include "support/temporary_folder.h"
#include "unit/search/small_problems.h"

namespace cleave::search {
namespace {

using testing::one_unit_problem;
using testing::residual_problem;

/// a and b on the edge, t and u crossing, add on the cloud.
Plan split_plan() {
  Problem problem = residual_problem();
  problem.units[2].edge_s.clear();
  problem.units[0].cloud_s.reset();
  problem.units[1].cloud_s.reset();
  return make_plan(problem, solve(problem, "exhaustive"));
}

TEST(Plan, TellsAnOutcomeInNamesAndMilliseconds) {
  const Plan plan = split_plan();
  EXPECT_EQ(plan.status, Status::kOptimal);
  EXPECT_EQ(plan.edge_units, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(plan.crossing.size(), 2U);
  EXPECT_EQ(plan.crossing[0].tensor, "t");
  EXPECT_EQ(plan.crossing[0].bits, 4);
  EXPECT_EQ(plan.crossing[0].bytes, 4);
  EXPECT_EQ(plan.crossing[0].elements, 8);
  EXPECT_DOUBLE_EQ(plan.edge_ms, 3000);
  EXPECT_DOUBLE_EQ(plan.link_ms, 9000);
  EXPECT_DOUBLE_EQ(plan.cloud_ms, 125);
  EXPECT_DOUBLE_EQ(plan.latency_ms, 12125);
  EXPECT_DOUBLE_EQ(plan.wire_bytes_mean, 8);
  EXPECT_EQ(plan.units.at("b").weight_bits, 4);
  EXPECT_EQ(plan.units.at("b").activation_bits, 4);
  EXPECT_DOUBLE_EQ(plan.units.at("b").edge_ms, 1000);
  EXPECT_DOUBLE_EQ(plan.units.at("b").cloud_ms, 0);  // it cannot run there
  EXPECT_FALSE(plan.units.at("add").on_edge);
  EXPECT_EQ(plan.units.at("add").activation_bits, 0);
  EXPECT_EQ(plan.activation_bits, (std::map<std::string, int>{{"t", 4}, {"x", 8}}));
}

TEST(Plan, PricesCloudUnitsOnTheEdgeAtTheWidestBits) {
  const Problem problem = one_unit_problem();
  const Plan plan = make_plan(problem, solve(problem, "cloud_only"));
  EXPECT_DOUBLE_EQ(plan.units.at("conv").edge_ms, 9000);
  EXPECT_DOUBLE_EQ(plan.units.at("conv").cloud_ms, 1000);
}

TEST(Plan, HasTheKeysOfTheContract) {
  Plan plan = split_plan();
  plan.baselines["dads"] = std::nullopt;
  plan.baselines["cloud_only"] = PlanBaseline{17125, "16 bytes uploaded"};
  const Json json = plan.to_json();
  for (const char* key :
       {"schema", "tool", "status", "solver", "seed", "latency_ms", "lower_bound_ms", "gap_ratio", "parts_ms",
        "edge_memory_bytes", "wire_bytes", "distortion", "cut", "units", "activation_bits", "baselines", "made_from"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_FALSE(json.contains("wall_s"));
  EXPECT_EQ(json["edge_memory_bytes"], (Json{{"weights", 18}, {"activations_peak", 20}, {"total", 38}}));
  EXPECT_EQ(json["cut"]["crossing"][1], (Json{{"tensor", "u"}, {"bits", 4}, {"elements", 8}, {"bytes", 4}}));
  EXPECT_EQ(json["units"]["a"]["side"], "edge");
  EXPECT_TRUE(json["baselines"]["dads"].is_null());
  EXPECT_EQ(json["baselines"]["cloud_only"]["latency_ms"], 17125.0);
}

TEST(Plan, ComesBackByteForByteFromItsFile) {
  const cleave::testing::TemporaryFolder folder;
  Plan plan = split_plan();
  plan.seed = 7;
  plan.clip = "mse";
  plan.baselines["dads"] = std::nullopt;
  plan.baselines["cloud_only"] = PlanBaseline{17125, "16 bytes uploaded"};
  plan.made_from["model"] = "abc";
  plan.save(folder / "plan.json");
  const Plan again = Plan::load(folder / "plan.json");
  EXPECT_EQ(to_text(again.to_json()), to_text(plan.to_json()));
  EXPECT_EQ(again.fingerprint(), plan.fingerprint());
  plan.seed = 8;
  EXPECT_NE(again.fingerprint(), plan.fingerprint());
}

TEST(Plan, KeepsAnInfeasibleAnswer) {
  Problem problem = one_unit_problem();
  problem.limits.distortion = 0.005;
  const Plan plan = make_plan(problem, solve(problem, "exhaustive"));
  const Json json = plan.to_json();
  EXPECT_EQ(json["status"], "infeasible");
  EXPECT_TRUE(json["latency_ms"].is_null());
  EXPECT_EQ(json["infeasible"]["tightest"], "distortion");
  EXPECT_EQ(to_text(Plan::from_json(json, "p").to_json()), to_text(json));
}

TEST(Plan, RefusesFilesThatMakeNoSense) {
  const auto refused = [](auto change) {
    Json json = split_plan().to_json();
    change(json);
    EXPECT_THROW(Plan::from_json(json, "plan.json"), Error) << json.dump();
  };
  refused([](Json& j) { j["surprise"] = 1; });
  refused([](Json& j) { j["schema"] = "cleave.problem/1"; });
  refused([](Json& j) { j["status"] = "perfect"; });
  refused([](Json& j) { j.erase("cut"); });
  refused([](Json& j) { j["units"]["a"]["side"] = "left"; });
  refused([](Json& j) { j["units"]["a"]["side"] = "cloud"; });
  refused([](Json& j) { j["units"]["add"]["side"] = "edge"; });
  refused([](Json& j) { j["units"]["a"]["weight_bits"] = -1; });
  refused([](Json& j) { j["cut"]["edge_units"].push_back("nobody"); });
  refused([](Json& j) { j["cut"]["crossing"][0]["bits"] = "four"; });
  refused([](Json& j) { j["latency_ms"] = nullptr; });
}

}  // namespace
}  // namespace cleave::search
