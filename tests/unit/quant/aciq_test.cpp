#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "golden.h"
#include "quant/aciq.h"
#include "quant/clip.h"

namespace cleave::quant {
namespace {

using testing::golden;

/// A density as two weighted points per fine cell (Gauss-Legendre: they keep the cell's variance), up to where 1e-15 of
/// the mass is left; mirrored unless one-sided.
WeightedValues density(const std::string& name, bool one_sided) {
  constexpr int kCells = 100000;
  const double cell = (name == "laplace" ? 36.0 : 8.0) / kCells;
  const auto below = [&](double x) { return name == "laplace" ? -std::expm1(-x) : std::erf(x / std::numbers::sqrt2); };
  WeightedValues half;
  for (int i = 0; i < kCells; ++i) {
    for (const double place : {0.5 - 0.5 / std::numbers::sqrt3, 0.5 + 0.5 / std::numbers::sqrt3}) {
      half.values.push_back((i + place) * cell);
      half.counts.push_back((below((i + 1) * cell) - below(i * cell)) / 2);
      half.total += half.counts.back();
    }
  }
  if (one_sided) return half;
  WeightedValues both;
  for (std::size_t i = half.values.size(); i-- > 0;) both.values.push_back(-half.values[i]);
  both.counts.assign(half.counts.rbegin(), half.counts.rend());
  both.values.insert(both.values.end(), half.values.begin(), half.values.end());
  both.counts.insert(both.counts.end(), half.counts.begin(), half.counts.end());
  both.total = 2 * half.total;
  return both;
}

/// The same as a billion values: what a sample's deviation is measured on.
WeightedValues counted(WeightedValues values) {
  constexpr double kValues = 1e9;
  for (double& count : values.counts) count *= kValues;
  values.total *= kValues;
  return values;
}

double multiplier(const std::string& dist, Bits bits, bool one_sided) {
  return dist == "laplace" ? aciq_laplace_multiplier(bits, one_sided) : aciq_gauss_multiplier(bits, one_sided);
}

double model_mse(const std::string& dist, double m, Bits bits, bool one_sided) {
  return dist == "laplace" ? aciq_laplace_mse(m, bits, one_sided) : aciq_gauss_mse(m, bits, one_sided);
}

TEST(Aciq, SolvesItsEquationsAndGainsABitOneSided) {
  for (int count = 1; count <= 8; ++count) {
    const Bits bits{count};
    const double m = aciq_laplace_multiplier(bits, false);
    EXPECT_NEAR(m * std::exp(m), 3 * std::pow(4, count), 1e-9 * std::pow(4, count));
    EXPECT_DOUBLE_EQ(aciq_laplace_multiplier(bits, true), aciq_laplace_multiplier(Bits{count + 1}, false));
    EXPECT_DOUBLE_EQ(aciq_gauss_multiplier(bits, true), aciq_gauss_multiplier(Bits{count + 1}, false));
  }
  EXPECT_NEAR(aciq_laplace_multiplier(Bits{4}, false), 5.03, 0.005);  // the paper's table
  EXPECT_NEAR(aciq_gauss_multiplier(Bits{4}, false), 2.56, 0.005);
}

TEST(Aciq, MultiplierIsTheMinimumOfTheModel) {
  for (int count = 1; count <= 8; ++count) {
    for (const bool one_sided : {false, true}) {
      for (const char* dist : {"laplace", "gauss"}) {
        const Bits bits{count};
        const double m = multiplier(dist, bits, one_sided);
        EXPECT_LT(model_mse(dist, m, bits, one_sided), model_mse(dist, m * 1.01, bits, one_sided));
        EXPECT_LT(model_mse(dist, m, bits, one_sided), model_mse(dist, m * 0.99, bits, one_sided));
      }
    }
  }
}

TEST(Aciq, EveryMultiplierAndModelErrorIsThatOfTheReference) {
  CLEAVE_NEEDS_SHARED();
  const Json document = golden("analytic_clip.json");
  ASSERT_EQ(document.at("rows").size(), 32U);
  for (const Json& row : document.at("rows")) {
    const auto dist = row.at("dist").get<std::string>();
    const Bits bits{row.at("bits").get<int>()};
    const bool one_sided = row.at("one_sided");
    SCOPED_TRACE(dist + " " + std::to_string(bits.count) + (one_sided ? " one-sided" : ""));
    const double m = multiplier(dist, bits, one_sided);
    EXPECT_NEAR(m, row.at("aciq_multiplier").get<double>(), 1e-9);
    const double mse = row.at("aciq_model_mse");
    EXPECT_NEAR(model_mse(dist, m, bits, one_sided), mse, 1e-9 * mse);
  }
}

/// The integer grids of the reference's families, with clip / step.
struct Family {
  const char* name;
  WeightGrid grid;
  double clip_codes;
};

std::vector<Family> families(Bits bits, bool one_sided) {
  const std::int32_t top = bits.max_unsigned();
  if (one_sided) return {{"uint", {0, top}, static_cast<double>(top)}};
  const std::int32_t half = 1 << (bits.count - 1);
  std::vector<Family> list = {{"int_full", {-half, half - 1}, static_cast<double>(half)}};
  if (bits.count >= 2) list.push_back({"int_narrow", {-(half - 1), half - 1}, static_cast<double>(half - 1)});
  return list;
}

TEST(Aciq, ExactSearchFindsTheTrueOptimumOfEveryDensity) {
  CLEAVE_NEEDS_SHARED();
  const Json document = golden("analytic_clip.json");
  for (const Json& row : document.at("rows")) {
    const auto dist = row.at("dist").get<std::string>();
    const Bits bits{row.at("bits").get<int>()};
    const bool one_sided = row.at("one_sided");
    const WeightedValues values = density(dist, one_sided);
    for (const Family& family : families(bits, one_sided)) {
      SCOPED_TRACE(dist + " " + std::to_string(bits.count) + " " + family.name);
      const Json& expected = row.at("true").at(family.name);
      const StepChoice best = mse_optimal_step(values, family.grid);
      const double optimum = expected.at("opt_mse");
      EXPECT_NEAR(best.mse, optimum, 1e-5 * optimum);
      EXPECT_NEAR(best.step * family.clip_codes, expected.at("opt_multiplier").get<double>(), 5e-3);
      const double at_aciq = expected.at("mse_at_aciq");
      const double step = multiplier(dist, bits, one_sided) / family.clip_codes;
      EXPECT_NEAR(step_mse(values, step, family.grid), at_aciq, 1e-5 * at_aciq);
    }
  }
}

TEST(PriorClips, TakeTheTrueOptimumOfTheirDensityOnEveryGrid) {
  CLEAVE_NEEDS_SHARED();
  const Json document = golden("analytic_clip.json");
  for (const Json& row : document.at("rows")) {
    const auto dist = row.at("dist").get<std::string>();
    const Bits bits{row.at("bits").get<int>()};
    const ClipMethod method = dist == "laplace" ? ClipMethod::kLaplace : ClipMethod::kGauss;
    const WeightedValues values = counted(density(dist, false));
    if (!row.at("one_sided").get<bool>()) {
      for (const Family& family : families(bits, false)) {
        if (family.grid.max_code == 0) continue;
        SCOPED_TRACE(dist + " " + std::to_string(bits.count) + " " + family.name);
        const double multiplier = row.at("true").at(family.name).at("opt_multiplier");
        const StepChoice choice = choose_step(values, family.grid, bits, method);
        EXPECT_NEAR(choice.step * family.clip_codes, multiplier, 1e-4 * multiplier);
      }
      continue;
    }
    SCOPED_TRACE(dist + " " + std::to_string(bits.count) + " one-sided");
    const double multiplier = row.at("true").at("uint").at("opt_multiplier");
    const WeightedValues positive = counted(density(dist, true));
    const ActivationValues seen{positive, values, {}};
    EXPECT_NEAR(choose_activation(seen, bits, method).quantizer.scale * static_cast<float>(bits.max_unsigned()),
                multiplier, 1e-4 * multiplier);
    // E|x| and E[x^2] of the positive half are those of both: the guess without `before` agrees.
    EXPECT_NEAR(
        choose_activation({positive, {}, {}}, bits, method).quantizer.scale * static_cast<float>(bits.max_unsigned()),
        multiplier, 1e-4 * multiplier);
  }
}

TEST(Aciq, RangesFollowTheirDefinitions) {
  const Range one_sided = aciq_one_sided_range({-1, 2}, 3);
  EXPECT_EQ(one_sided.lo, 0);
  EXPECT_EQ(one_sided.hi, 6);
  EXPECT_EQ(aciq_one_sided_range({1, 2}, 3).hi, 7);
  const Range signed_range = aciq_signed_range({1, 2}, 3, -4);
  EXPECT_EQ(signed_range.lo, -4);
  EXPECT_EQ(signed_range.hi, 8);
  EXPECT_EQ(aciq_signed_range({1, 2}, 3, -9).lo, -5);
  EXPECT_EQ(aciq_symmetric_clip({-1, 2}, 3, 100), 7);
  EXPECT_EQ(aciq_symmetric_clip({-1, 2}, 3, 5), 5);
}

TEST(Aciq, PriorsAreTheSampleStatistics) {
  const WeightedValues values = WeightedValues::exact(std::vector<float>{0, 0, 1, 3});
  EXPECT_DOUBLE_EQ(laplace_prior(values).mean, 1);
  EXPECT_DOUBLE_EQ(laplace_prior(values).scale, 1);
  EXPECT_DOUBLE_EQ(gauss_prior(values).scale, std::sqrt(6.0 / 3));  // n - 1
  EXPECT_DOUBLE_EQ(laplace_prior_of_nonzeros(values).scale, 2);
  EXPECT_DOUBLE_EQ(gauss_prior_of_nonzeros(values).scale, std::sqrt(5.0));
  EXPECT_EQ(laplace_prior_of_nonzeros(WeightedValues::exact(std::vector<float>{0, 0})).scale, 0);
}

}  // namespace
}  // namespace cleave::quant
