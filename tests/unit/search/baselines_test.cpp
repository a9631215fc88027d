#include "search/baselines.h"

#include <gtest/gtest.h>

#include "unit/search/small_problems.h"

namespace cleave::search {
namespace {

using testing::one_unit_problem;
using testing::residual_problem;

quant::CalibrationTable table_with_jpegs(const std::vector<std::int64_t>& bytes) {
  quant::CalibrationTable table;
  for (const std::int64_t size : bytes) {
    quant::CalibrationImage image;
    image.path = std::to_string(table.images.size());
    image.jpeg_bytes = size;
    table.images.push_back(image);
  }
  return table;
}

std::map<std::string, std::optional<PlanBaseline>> baselines_of(const Problem& problem,
                                                                const quant::CalibrationTable& table) {
  return baselines(problem, std::nullopt, table, Pricing::kExact);
}

TEST(Baselines, AreTheHandComputedOnes) {
  const auto found = baselines_of(one_unit_problem(), table_with_jpegs({2, 4, 0}));
  EXPECT_DOUBLE_EQ(found.at("cloud_only")->latency_ms, 8000);
  EXPECT_DOUBLE_EQ(found.at("cloud_only_jpeg")->latency_ms, 1000 * (1 + 0.5 + (3 + 3) / 2.0));  // mean of 2 and 4
  EXPECT_DOUBLE_EQ(found.at("edge_only_8bit")->latency_ms, 9000);
  EXPECT_TRUE(found.at("autosplit").has_value());
  for (const char* none : {"neurosurgeon", "dads", "qdmp"}) EXPECT_FALSE(found.at(none).has_value()) << none;
}

TEST(Baselines, PartitionAtFullPrecision) {
  Problem full = one_unit_problem();
  full.units[0].weight = {{16, 40, 0}};
  full.units[0].edge_s = {{16, {{16, 7.0}}}};
  full.tensors[0].activation = {{16, 0}};
  full.tensors[1].activation = {{16, 0}};
  full.tensors[1].wire = {{16, 8, 0}};
  full.finish();
  const auto found = baselines(one_unit_problem(), full, table_with_jpegs({2}), Pricing::kExact);
  for (const char* name : {"neurosurgeon", "dads", "qdmp"}) {
    EXPECT_DOUBLE_EQ(found.at(name)->latency_ms, 7000) << name;  // the edge alone; the cloud takes 8 s with the link
    EXPECT_EQ(found.at(name)->detail, "0 bytes uploaded") << name;
  }
}

TEST(Baselines, ArePricedAsThePlanIs) {
  const auto found = baselines(one_unit_problem(), std::nullopt, table_with_jpegs({2}), Pricing::kSingleTensor);
  EXPECT_DOUBLE_EQ(found.at("cloud_only")->latency_ms, 1000 * (1 + 10 / 2.0));  // no round trip, no header
}

TEST(Baselines, LeaveTheDistortionLimitAside) {
  Problem problem = one_unit_problem();
  problem.limits.distortion = 0.02;
  const auto found = baselines_of(problem, table_with_jpegs({2}));
  EXPECT_DOUBLE_EQ(found.at("edge_only_8bit")->latency_ms, 9000);
}

TEST(Baselines, RespectTheMemory) {
  Problem problem = one_unit_problem();
  problem.limits.edge_memory_bytes = 33;  // 20 + 10 + 4 needed
  EXPECT_FALSE(baselines_of(problem, {}).at("edge_only_8bit").has_value());
  problem.limits.edge_memory_bytes = 34;
  EXPECT_TRUE(baselines_of(problem, {}).at("edge_only_8bit").has_value());
}

TEST(Baselines, HaveNoJpegWithoutMeasuredImages) {
  EXPECT_FALSE(baselines_of(one_unit_problem(), table_with_jpegs({0})).at("cloud_only_jpeg").has_value());
}

TEST(CloudOnly, IsInfeasibleWhenAUnitMustRunOnTheEdge) {
  Problem problem = residual_problem();
  problem.units[0].cloud_s.reset();
  const Outcome outcome = solve(problem, "cloud_only");
  EXPECT_EQ(outcome.status, Status::kInfeasible);
  EXPECT_EQ(outcome.infeasibility->tightest, "units");
}

TEST(EdgeOnly, NeedsEightBits) {
  Problem problem = one_unit_problem();
  problem.units[0].weight.pop_back();  // 2 bits only
  problem.finish();
  EXPECT_EQ(solve(problem, "edge_only_8bit").status, Status::kInfeasible);
}

}  // namespace
}  // namespace cleave::search
