#include "quant/hessian_rounding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/error.h"
#include "golden.h"

namespace cleave::quant {
namespace {

using testing::golden;
using testing::golden_tensor;

std::vector<double> golden_doubles(const std::string& file) {
  const std::string bytes = read_file(testing::shared_dir() / "golden/quant/tensors" / file);
  std::vector<double> values(bytes.size() / sizeof(double));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(values.data()));
  return values;
}

LayerCodes golden_codes(const Json& rows) {
  LayerCodes codes;
  for (const Json& row : rows) {
    for (const Json& code : row) codes.push_back(static_cast<std::int8_t>(code.get<int>()));
  }
  return codes;
}

/// A layer with what it points to.
struct Example {
  std::vector<float> values;
  std::vector<float> scales;
  std::vector<double> hessian;
  WeightGrid grid{-7, 7};

  LayerWeights layer() const {
    return {values, static_cast<std::int64_t>(values.size() / scales.size()), scales, grid};
  }
  double error(const LayerCodes& codes) const { return output_error(layer(), codes, hessian); }
};

/// Random weights; inputs that are mixtures of few sources, so that H has large off-diagonal terms.
Example random_example(std::int64_t rows, std::int64_t inputs, unsigned seed, const WeightGrid& grid) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Example example;
  example.grid = grid;
  for (std::int64_t i = 0; i < rows * inputs; ++i) example.values.push_back(static_cast<float>(normal(random)));
  example.scales.assign(static_cast<std::size_t>(rows), static_cast<float>(2.5 / grid.levels()));
  const std::int64_t samples = 4 * inputs;
  const auto n = static_cast<std::size_t>(inputs);
  example.hessian.assign(n * n, 0.0);
  for (std::int64_t k = 0; k < samples; ++k) {
    std::vector<double> x(n);
    const double common = normal(random);
    for (double& value : x) value = 0.5 * normal(random) + common;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) example.hessian[i * n + j] += 2 * x[i] * x[j] / static_cast<double>(samples);
    }
  }
  return example;
}

TEST(HessianRounding, GivesTheCodesAndLossesOfTheReference) {
  CLEAVE_NEEDS_SHARED();
  const Tensor weights = golden_tensor("w_rfb_conv0");
  const std::vector<double> hessian = golden_doubles("H_rfb_conv0_27x27_f64.bin");
  const Json document = golden("gptq_obq_conv0.json");
  for (const Json& record : document.at("records")) {
    const Bits bits{record.at("bits").get<int>()};
    SCOPED_TRACE(bits.count);
    const auto scales = record.at("scale").get<std::vector<float>>();
    const LayerWeights layer{weights.data<float>(), 27, scales, WeightGrid::narrow(bits)};
    const auto check = [&](const char* name, const LayerCodes& codes) {
      EXPECT_EQ(codes, golden_codes(record.at("codes").at(name))) << name;
      const double loss = record.at("losses").at(name);
      EXPECT_NEAR(output_error(layer, codes, hessian), loss, 1e-5 * loss) << name;
    };
    check("rtn", nearest_codes(layer));
    check("gptq", gptq_codes(layer, hessian));
    check("gptq_act_order", gptq_codes(layer, hessian, {.by_importance = true}));
    check("obq", obq_codes(layer, hessian, {.damping = 0}));
  }
}

TEST(HessianRounding, OfDepthwiseKernelsLiesBetweenTheExhaustiveOptimumAndNearest) {
  CLEAVE_NEEDS_SHARED();
  const Tensor weights = golden_tensor("w_rfb_dw0");
  const std::vector<double> hessians = golden_doubles("H_rfb_dw0_16x9x9_f64.bin");
  const Json document = golden("adaround_bruteforce_dw0.json");
  for (const Json& record : document.at("records")) {
    const Bits bits{record.at("bits").get<int>()};
    double obq = 0;
    double gptq = 0;
    for (std::size_t c = 0; c < 16; ++c) {
      const float scale = record.at("scale").at(c);
      const LayerWeights layer{weights.data<float>().subspan(9 * c, 9), 9, {&scale, 1}, WeightGrid::narrow(bits)};
      const auto hessian = std::span(hessians).subspan(81 * c, 81);
      obq += output_error(layer, obq_codes(layer, hessian), hessian);
      gptq += output_error(layer, gptq_codes(layer, hessian), hessian);
    }
    const double nearest = record.at("total_rtn_loss");
    // The optimum over floor and ceiling of the weights; a code further away can be better still, by little.
    const double optimum = record.at("total_opt_loss");
    EXPECT_LT(obq, 0.7 * nearest) << bits.count;
    EXPECT_LT(gptq, nearest) << bits.count;
    EXPECT_GT(obq, 0.9 * optimum) << bits.count;
  }
}

TEST(HessianRounding, IsNearestWhereInputsHaveNothingInCommon) {
  Example example = random_example(5, 12, 1, WeightGrid::full(Bits{3}));
  example.hessian.assign(144, 0.0);
  for (std::size_t i = 0; i < 12; ++i) example.hessian[i * 13] = 1.0 + static_cast<double>(i);
  const LayerCodes nearest = nearest_codes(example.layer());
  EXPECT_EQ(gptq_codes(example.layer(), example.hessian), nearest);
  EXPECT_EQ(gptq_codes(example.layer(), example.hessian, {.by_importance = true}), nearest);
  EXPECT_EQ(obq_codes(example.layer(), example.hessian), nearest);
}

TEST(HessianRounding, InputsThatNeverOccurredKeepTheirNearestCodes) {
  Example example = random_example(3, 6, 2, WeightGrid::full(Bits{4}));
  for (std::size_t j = 0; j < 6; ++j) example.hessian[4 * 6 + j] = example.hessian[j * 6 + 4] = 0;
  const LayerCodes nearest = nearest_codes(example.layer());
  for (const LayerCodes& codes :
       {gptq_codes(example.layer(), example.hessian), obq_codes(example.layer(), example.hessian)}) {
    for (std::size_t r = 0; r < 3; ++r) EXPECT_EQ(codes[r * 6 + 4], nearest[r * 6 + 4]);
  }
}

TEST(HessianRounding, ComesNearTheExhaustiveOptimumOfSmallLayers) {
  double exhaustive = 0;
  double obq = 0;
  double gptq = 0;
  double nearest = 0;
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Example example = random_example(1, 5, seed, WeightGrid::full(Bits{2}));
    double best = std::numeric_limits<double>::infinity();
    for (int number = 0; number < 1024; ++number) {
      LayerCodes codes;
      for (int i = 0; i < 5; ++i) codes.push_back(static_cast<std::int8_t>((number >> (2 * i) & 3) - 2));
      best = std::min(best, example.error(codes));
    }
    exhaustive += best;
    obq += example.error(obq_codes(example.layer(), example.hessian));
    gptq += example.error(gptq_codes(example.layer(), example.hessian));
    nearest += example.error(nearest_codes(example.layer()));
  }
  EXPECT_LE(exhaustive, obq);
  EXPECT_LT(obq, 1.5 * exhaustive);
  EXPECT_LT(gptq, 0.9 * nearest);
}

TEST(HessianRounding, IsTheSameInBlocksAndForAnyThreadCount) {
  // More inputs than a block and more rows than a task: the plain algorithm is the oracle.
  const Example example = random_example(21, 150, 7, WeightGrid::full(Bits{4}));
  const LayerCodes codes = gptq_codes(example.layer(), example.hessian);
  EXPECT_EQ(gptq_codes(example.layer(), example.hessian, {.threads = 3}), codes);
  LayerCodes alone;
  for (std::size_t r = 0; r < 21; ++r) {
    const LayerWeights row{std::span(example.values).subspan(150 * r, 150), 150,
                           std::span(example.scales).subspan(r, 1), example.grid};
    const LayerCodes own = gptq_codes(row, example.hessian);
    alone.insert(alone.end(), own.begin(), own.end());
  }
  EXPECT_EQ(codes, alone);
  EXPECT_LT(example.error(codes), 0.5 * example.error(nearest_codes(example.layer())));
}

TEST(HessianRounding, RefusesAHessianThatIsNone) {
  Example example = random_example(2, 3, 1, WeightGrid::full(Bits{4}));
  example.hessian[1] = example.hessian[3] = 100;
  EXPECT_THROW(gptq_codes(example.layer(), example.hessian), Error);
  example.hessian[1] = std::nan("");
  EXPECT_THROW(obq_codes(example.layer(), example.hessian), Error);
}

}  // namespace
}  // namespace cleave::quant
