#include "quant/lp_step.h"

#include <gtest/gtest.h>

#include <cmath>

#include "golden.h"
#include "quant/step_search.h"

namespace cleave::quant {
namespace {

using testing::golden;
using testing::golden_tensor;

/// p of a golden method "lp_2.5"; 0 for other methods.
double p_of(const std::string& method) {
  return method.rfind("lp_", 0) == 0 ? std::stod(method.substr(3)) : 0;
}

void check(const WeightedValues& values, CodeLevels levels, const std::string& method, const Json& expected) {
  const double p = p_of(method);
  const double least = expected.at("lp_mean");
  EXPECT_NEAR(lp_error(values, expected.at("step"), levels, p), least, 1e-6 * least);
  const LpStep found = lp_step(values, levels, p);
  EXPECT_LE(found.error, least * (1 + 1e-3));
  EXPECT_DOUBLE_EQ(lp_error(values, found.step, levels, p), found.error);
}

TEST(LpStep, IsAtMostTheReferencesOnWeights) {
  CLEAVE_NEEDS_SHARED();
  int checked = 0;
  const Json document = golden("weights_quant.json");
  for (const Json& row : document.at("records")) {
    if (row.at("granularity") != "tensor") continue;
    const auto name = row.at("tensor").get<std::string>();
    const WeightedValues values = WeightedValues::exact(golden_tensor(name).data<float>());
    const CodeLevels levels{-row.at("qmin").get<std::int32_t>(), row.at("qmax").get<std::int32_t>()};
    for (const auto& [method, expected] : row.at("methods").items()) {
      if (p_of(method) == 0) continue;
      SCOPED_TRACE(name + " " + row.at("bits").dump() + " bits " + method);
      check(values, levels, method, expected);
      ++checked;
    }
  }
  EXPECT_EQ(checked, 280);  // 14 tensors, 5 bit-widths, 4 exponents
}

TEST(LpStep, IsAtMostTheReferencesOnActivations) {
  CLEAVE_NEEDS_SHARED();
  int checked = 0;
  const Json document = golden("acts_quant.json");
  for (const Json& row : document.at("records")) {
    const auto name = row.at("tensor").get<std::string>();
    const WeightedValues values = WeightedValues::exact(golden_tensor(name).data<float>());
    for (const auto& [method, expected] : row.at("methods").items()) {
      if (p_of(method) == 0) continue;
      SCOPED_TRACE(name + " " + row.at("bits").dump() + " bits " + method);
      check(values, {0, row.at("qmax").get<std::int32_t>()}, method, expected);
      ++checked;
    }
  }
  EXPECT_EQ(checked, 100);  // 5 one-sided tensors, 5 bit-widths, 4 exponents
}

TEST(LpStep, OfSquaresIsTheExactSearchs) {
  std::vector<float> data;
  for (int i = 0; i < 500; ++i) data.push_back(std::sin(static_cast<float>(i)) * static_cast<float>(i % 17));
  const WeightedValues values = WeightedValues::exact(data);
  const CodeLevels levels{8, 7};
  const double exact = StepSearch(values).minimum(levels).error / values.total;
  EXPECT_NEAR(lp_step(values, levels, 2).error, exact, 1e-3 * exact);
}

TEST(LpStep, GrowsWithPTowardsTheWholeRange) {
  std::vector<float> data(1000, 0.5F);
  data.push_back(20.0F);
  for (int i = 0; i < 1000; ++i) data.push_back(static_cast<float>(i) / 1000);
  const WeightedValues values = WeightedValues::exact(data);
  double before = 0;
  for (const double p : {2.0, 3.0, 6.0, 12.0}) {
    const double step = lp_step(values, {0, 15}, p).step;
    EXPECT_GT(step, before) << p;
    before = step;
  }
  EXPECT_NEAR(before, 20.0 / 15, 0.1);
}

TEST(LpStep, OfNothingIsOne) {
  EXPECT_EQ(lp_step({}, {8, 7}, 3).step, 1);
  EXPECT_EQ(lp_step(WeightedValues::exact(std::vector<float>(4, 0.0F)), {8, 7}, 3).error, 0);
}

}  // namespace
}  // namespace cleave::quant
