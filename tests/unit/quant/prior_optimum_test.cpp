#include "quant/prior_optimum.h"

#include <gtest/gtest.h>

#include "golden.h"
#include "quant/aciq.h"

namespace cleave::quant {
namespace {

using testing::golden;

/// The grids of the golden families that are integer grids.
std::map<std::string, CodeLevels> families(int bits) {
  const std::int32_t half = 1 << (bits - 1);
  std::map<std::string, CodeLevels> grids{{"int_full", {half, half - 1}}, {"uint", {0, 2 * half - 1}}};
  if (bits >= 2) grids["int_narrow"] = {half - 1, half - 1};
  return grids;
}

/// Codes per clip value (conventions of the golden data).
double levels_of(const std::string& family, CodeLevels levels) {
  return family == "uint" ? levels.positive : levels.negative;
}

TEST(PriorOptimum, IsTheReferencesOnEveryIntegerGrid) {
  CLEAVE_NEEDS_SHARED();
  int checked = 0;
  const Json document = golden("analytic_clip.json");
  for (const Json& row : document.at("rows")) {
    const int bits = row.at("bits");
    const Density density = row.at("dist") == "laplace" ? Density::kLaplace : Density::kGauss;
    for (const auto& [family, levels] : families(bits)) {
      if (!row.at("true").contains(family) || levels.positive == 0) continue;
      SCOPED_TRACE(row.at("dist").get<std::string>() + " " + family + " " + std::to_string(bits));
      const Json& expected = row.at("true").at(family);
      const PriorOptimum found = prior_optimum(density, levels);
      const double mse = expected.at("opt_mse");
      EXPECT_NEAR(found.mse, mse, 1e-9 * mse);
      const double multiplier = expected.at("opt_multiplier");
      EXPECT_NEAR(found.step * levels_of(family, levels), multiplier, 1e-5 * multiplier);
      const double aciq = row.at("aciq_multiplier");
      const double at_aciq = expected.at("mse_at_aciq");
      EXPECT_NEAR(prior_mse(density, aciq / levels_of(family, levels), levels), at_aciq, 1e-9 * at_aciq);
      ++checked;
    }
  }
  EXPECT_EQ(checked, 2 * (7 + 7 + 8));  // two densities: full and narrow from 2 bits on, unsigned from 1
}

TEST(PriorOptimum, IsNeverAboveAciqs) {
  for (int bits = 2; bits <= 8; ++bits) {
    const CodeLevels levels{1 << (bits - 1), (1 << (bits - 1)) - 1};
    const double aciq = aciq_laplace_multiplier(Bits{bits}, false) / levels.negative;
    EXPECT_LE(prior_optimum(Density::kLaplace, levels).mse, prior_mse(Density::kLaplace, aciq, levels));
  }
}

}  // namespace
}  // namespace cleave::quant
