#include "quant/clip.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "quant/aciq.h"
#include "quant/distortion.h"
#include "quant/entropy_clip.h"
#include "quant/lp_step.h"
#include "quant/step_search.h"
#include "support/property.h"

namespace cleave::quant {
namespace {

using testing::expect_holds;
constexpr double kFloatSlack = 1 + 1e-5;  ///< a float32 scale is not quite the best step

WeightedValues exact(const std::vector<float>& values) {
  return WeightedValues::exact(values);
}

/// Values with an average range somewhat inside theirs.
ActivationValues seen(const WeightedValues& values) {
  return {values, {}, Range{0.75 * values.min(), 0.5 * values.max()}};
}

/// Values of mixed magnitude with heavy tails and repeats.
rc::Gen<std::vector<float>> numbers(bool one_sided = false) {
  const auto number = rc::gen::map(rc::gen::inRange(-20000, 20000), [one_sided](int i) {
    const double x = i / 10000.0;
    const auto value = static_cast<float>(i % 7 == 0 ? std::round(x) : x * x * x);
    return one_sided ? std::abs(value) : value;
  });
  return rc::gen::nonEmpty(rc::gen::container<std::vector<float>>(number));
}

std::vector<float> with(std::vector<float> values, const std::vector<float>& more) {
  values.insert(values.end(), more.begin(), more.end());
  return values;
}

/// The least error by evaluating the minimum of every interval between breakpoints, and every breakpoint: no bounds,
/// no buckets, no running sums.
double brute_force_mse(const WeightedValues& values, const WeightGrid& grid) {
  std::vector<double> edges = {4 * values.max_magnitude() + 1e-30};
  for (const double x : values.values) {
    const int levels = x < 0 ? -grid.min_code : grid.max_code;
    for (int k = 0; k < levels && x != 0; ++k) edges.push_back(std::abs(x) / (k + 0.5));
  }
  std::sort(edges.begin(), edges.end());
  edges.insert(edges.begin(), edges.front() / 2);
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t i = 1; i < edges.size(); ++i) {
    const double middle = 0.5 * (edges[i - 1] + edges[i]);
    double xq = 0;
    double qq = 0;
    for (std::size_t j = 0; j < values.values.size(); ++j) {
      const double q =
          std::clamp(std::nearbyint(values.values[j] / middle), double(grid.min_code), double(grid.max_code));
      xq += values.counts[j] * values.values[j] * q;
      qq += values.counts[j] * q * q;
    }
    const double step = qq > 0 ? std::clamp(xq / qq, edges[i - 1], edges[i]) : edges[i];
    best = std::min({best, step_mse(values, step, grid), step_mse(values, edges[i], grid)});
  }
  return best;
}

TEST(ExactStep, FindsStepsKnownByHand) {
  // Codes -1, 0, 1: {1, 1, 1, 3} is best as {s, s, s, s} with s = 1.5.
  const StepChoice narrow = mse_optimal_step(exact({1, 1, 1, 3}), WeightGrid::narrow(Bits{2}));
  EXPECT_DOUBLE_EQ(narrow.step, 1.5);
  EXPECT_DOUBLE_EQ(narrow.mse, (3 * 0.25 + 2.25) / 4);
  // Codes -2..1: -2 s and s hit {-2, 1} exactly.
  const StepChoice full = mse_optimal_step(exact({-2, 1}), WeightGrid::full(Bits{2}));
  EXPECT_DOUBLE_EQ(full.step, 1);
  EXPECT_DOUBLE_EQ(full.mse, 0);
}

TEST(ExactStep, IsTheGlobalMinimumByBruteForce) {
  expect_holds([] {
    const WeightedValues values = exact(with(*numbers(), {0.25F}));
    const Bits bits{*rc::gen::inRange(2, 7)};
    const WeightGrid grid = *rc::gen::arbitrary<bool>() ? WeightGrid::full(bits) : WeightGrid::narrow(bits);
    const StepChoice choice = mse_optimal_step(values, grid);
    const double brute_force = brute_force_mse(values, grid);
    RC_ASSERT(std::abs(choice.mse - brute_force) <= 1e-9 * brute_force + 1e-15 * values.mean_square());
    RC_ASSERT(std::abs(step_mse(values, choice.step, grid) - choice.mse) <= 1e-12 * values.mean_square());
  });
}

TEST(ExactStep, CountsMultiplicitiesLikeRepeatedValues) {
  expect_holds([] {
    const std::vector<float> data = with(*numbers(), {0.25F});
    const WeightedValues weighted = exact(data);
    std::vector<float> thrice = data;
    for (int i = 0; i < 2; ++i) thrice.insert(thrice.end(), data.begin(), data.end());
    const WeightGrid grid = WeightGrid::full(Bits{4});
    const double once = mse_optimal_step(weighted, grid).mse;
    RC_ASSERT(std::abs(once - mse_optimal_step(exact(thrice), grid).mse) <= 1e-9 * weighted.mean_square());
  });
}

TEST(ExactStep, OverZeroPointsIsTheLeastOfAllZeroPoints) {
  expect_holds([] {
    const WeightedValues values = exact(with(*numbers(), {-0.5F, 0.125F}));
    const std::int32_t top = (1 << *rc::gen::inRange(1, 6)) - 1;
    const StepSearch search(values);
    double least = std::numeric_limits<double>::infinity();
    for (std::int32_t zero_point = 0; zero_point <= top; ++zero_point) {
      least = std::min(least, search.minimum({zero_point, top - zero_point}).error);
    }
    const StepSearch::Best best = search.minimum_over_zero_points(top);
    RC_ASSERT(best.levels.negative + best.levels.positive == top);
    RC_ASSERT(std::abs(best.error - least) <= 1e-9 * least + 1e-14 * values.total * values.mean_square());
  });
}

TEST(ExactStep, ScalesWithTheData) {
  expect_holds([] {
    const std::vector<float> data = *numbers();
    std::vector<float> tiny = data;
    for (float& x : tiny) x *= 0x1p-60F;
    const double mse = mse_optimal_step(exact(data), WeightGrid::full(Bits{3})).mse;
    const double tiny_mse = mse_optimal_step(exact(tiny), WeightGrid::full(Bits{3})).mse;
    RC_ASSERT(std::abs(tiny_mse * 0x1p120 - mse) <= 1e-9 * mse + 1e-300);
  });
}

TEST(ChooseActivation, ExactIsNeverAboveAnyOtherMethod) {
  expect_holds([] {
    const bool one_sided = *rc::gen::arbitrary<bool>();
    const WeightedValues values = exact(*numbers(one_sided));
    const Bits bits{*rc::gen::inRange(1, 9)};
    const double mse = choose_activation(seen(values), bits, ClipMethod::kMse).mse;
    for (const ClipMethodRow& row : clip_methods()) {
      const double other = choose_activation(seen(values), bits, row.method).mse;
      RC_ASSERT(mse <= other * (1 + 1e-9) + 1e-13 * values.mean_square());
    }
  });
}

TEST(ChooseStep, ExactIsNeverAboveAnyOtherMethod) {
  expect_holds([] {
    const WeightedValues values = exact(*numbers());
    const Bits bits{*rc::gen::inRange(2, 9)};
    const WeightGrid grid = *rc::gen::arbitrary<bool>() ? WeightGrid::full(bits) : WeightGrid::narrow(bits);
    const double mse = choose_step(values, grid, bits, ClipMethod::kMse).mse;
    for (const ClipMethodRow& row : clip_methods()) {
      const double other = choose_step(values, grid, bits, row.method).mse;
      RC_ASSERT(mse <= other * (1 + 1e-9) + 1e-13 * values.mean_square());
    }
  });
}

TEST(ChooseActivation, AutoIsTheLeastOfTheMethodsAndNamesIt) {
  expect_holds([] {
    const WeightedValues values = exact(*numbers());
    const Bits bits{*rc::gen::inRange(2, 9)};
    const ActivationChoice automatic = choose_activation(seen(values), bits, ClipMethod::kAuto);
    RC_ASSERT(automatic.method != ClipMethod::kAuto);
    RC_ASSERT(automatic.quantizer == choose_activation(seen(values), bits, automatic.method).quantizer);
    for (const ClipMethodRow& row : clip_methods()) {
      RC_ASSERT(automatic.mse <= choose_activation(seen(values), bits, row.method).mse);
    }
  });
}

TEST(ChooseActivation, MeasuresTheErrorOfTheQuantizerItReturns) {
  const std::vector<float> data = {-1.0F, -0.3F, 0.2F, 0.7F, 1.9F, 5.0F};
  for (const ClipMethodRow& row : clip_methods()) {
    const ActivationChoice choice = choose_activation(seen(exact(data)), Bits{3}, row.method);
    double sum = 0;
    for (const float x : data) sum += std::pow(double{x} - double{choice.quantizer.fake(x)}, 2);
    EXPECT_NEAR(choice.mse, sum / 6, 1e-6 * choice.mse) << row.name;
  }
}

TEST(ChooseActivation, GivesNonNegativeValuesZeroPointZero) {
  const WeightedValues values = exact({0, 0, 0.5F, 1, 2, 9});
  for (const ClipMethodRow& row : clip_methods()) {
    for (int bits = 1; bits <= 8; ++bits) {
      EXPECT_EQ(choose_activation(seen(values), Bits{bits}, row.method).quantizer.zero_point, 0) << row.name;
    }
  }
}

TEST(ChooseActivation, HandlesValuesBelowZeroOnly) {
  const ActivationChoice choice = choose_activation(seen(exact({-3, -2, -1})), Bits{2}, ClipMethod::kMse);
  EXPECT_EQ(choice.quantizer, (AffineQuantizer{1.0F, 3, Bits{2}}));
  EXPECT_EQ(choice.mse, 0);
}

TEST(ChooseActivation, HandlesZerosOnly) {
  for (const ClipMethodRow& row : clip_methods()) {
    const ActivationChoice choice = choose_activation(seen(exact({0, 0, 0})), Bits{4}, row.method);
    EXPECT_EQ(choice.mse, 0) << row.name;
    EXPECT_GT(choice.quantizer.scale, 0) << row.name;
  }
}

TEST(ChooseActivation, CutsAHundredthOfAPercentByPercentile) {
  std::vector<float> values;
  for (int i = 1; i <= 20000; ++i) values.push_back(static_cast<float>(i));
  const AffineQuantizer one_sided = choose_activation(seen(exact(values)), Bits{8}, ClipMethod::kPercentile).quantizer;
  EXPECT_FLOAT_EQ(one_sided.scale * 255, 19998);
  for (int i = 1; i <= 20000; ++i) values.push_back(static_cast<float>(-i));
  const AffineQuantizer both = choose_activation(seen(exact(values)), Bits{8}, ClipMethod::kPercentile).quantizer;
  EXPECT_NEAR(both.scale * 255, 2 * 19998, 1.5);
}

TEST(ChooseActivation, KeepsThePercentageThatIsAskedFor) {
  std::vector<float> values;
  for (int i = 1; i <= 1000; ++i) values.push_back(static_cast<float>(i));
  const auto top = [&](double percent) {
    return choose_activation(seen(exact(values)), Bits{8}, ClipMethod::percentile(percent)).quantizer.scale * 255;
  };
  EXPECT_FLOAT_EQ(top(50), 500);
  EXPECT_FLOAT_EQ(top(99), 990);
  EXPECT_FLOAT_EQ(top(100), 1000);
}

TEST(ChooseActivation, TakesTheImagesRangesAveraged) {
  const ActivationValues both{exact({-4, 1, 10}), {}, Range{-1, 3}};
  EXPECT_EQ(choose_activation(both, Bits{2}, ClipMethod::kAverage).quantizer, (AffineQuantizer{4.0F / 3, 1, Bits{2}}));
  try {
    choose_activation({exact({1, 2}), {}, {}}, Bits{8}, ClipMethod::kAverage);
    FAIL() << "averaged the ranges of no image";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kStale);
    EXPECT_FALSE(error.hint().empty());
  }
  EXPECT_NO_THROW(choose_activation({exact({1, 2}), {}, {}}, Bits{8}, ClipMethod::kAuto));
}

TEST(ChooseActivation, CutsByEntropyOnTheLongerSide) {
  std::vector<float> values;
  for (int i = 0; i < 20000; ++i)
    values.push_back(std::abs(std::sin(static_cast<float>(i)) * std::sin(static_cast<float>(3 * i))));
  values.push_back(40);
  const auto range = [](const AffineQuantizer& q) { return q.scale * static_cast<float>(q.bits.max_unsigned()); };
  const AffineQuantizer one_sided = choose_activation(seen(exact(values)), Bits{6}, ClipMethod::kEntropy).quantizer;
  EXPECT_FLOAT_EQ(range(one_sided), static_cast<float>(entropy_clip(exact(values), 63)));
  EXPECT_LT(range(one_sided), 2);
  values.push_back(-0.25F);
  const AffineQuantizer both = choose_activation(seen(exact(values)), Bits{6}, ClipMethod::kEntropy).quantizer;
  EXPECT_NEAR(range(both), range(one_sided) + 0.25F, 0.1F);  // the short side is kept whole
  EXPECT_GT(both.zero_point, 0);
}

TEST(ChooseActivation, TakesThePriorOfTheValuesBeforeTheRelu) {
  const WeightedValues before = exact({-3, -1, 1, 5});  // mean 0.5, E|x - mean| = 2.5
  const ActivationValues seen{exact({0, 0, 1, 5}), before, {}};
  const double multiplier = aciq_laplace_multiplier(Bits{4}, true);
  EXPECT_FLOAT_EQ(choose_activation(seen, Bits{4}, ClipMethod::kAciqLaplace).quantizer.scale,
                  static_cast<float>((0.5 + 2.5 * multiplier) / 15));
  // A bound above, as of Relu6: nothing lies beyond what is left.
  const ActivationValues bounded{exact({0, 0, 1, 3}), before, {}};
  EXPECT_FLOAT_EQ(choose_activation(bounded, Bits{4}, ClipMethod::kAciqLaplace).quantizer.scale, 3.0F / 15);
}

TEST(ChooseActivation, SearchesTheZeroPointByTheExponentToo) {
  expect_holds([] {
    const WeightedValues values = exact(with(*numbers(), {-0.5F, 0.125F}));
    const Bits bits{*rc::gen::inRange(1, 5)};
    const double p = *rc::gen::element(1.5, 2.4, 3.0);
    double least = std::numeric_limits<double>::infinity();
    for (std::int32_t zero_point = 0; zero_point <= bits.max_unsigned(); ++zero_point) {
      least = std::min(least, lp_step(values, {zero_point, bits.max_unsigned() - zero_point}, p).error);
    }
    const AffineQuantizer found = choose_activation(seen(values), bits, ClipMethod::lp(p)).quantizer;
    const CodeLevels levels{found.zero_point, bits.max_unsigned() - found.zero_point};
    RC_ASSERT(lp_error(values, found.scale, levels, p) <= least * (1 + 1e-3) + 1e-12 * values.mean_square());
  });
}

TEST(ChooseActivation, RefusesNoValues) {
  EXPECT_THROW(choose_activation({}, Bits{8}, ClipMethod::kMinMax), Error);
}

TEST(ChooseWeights, TakesTheClipOverTheLevelsOfTheGridAtMinMax) {
  const Tensor weights = Tensor::from<float>({2, 3}, std::vector<float>{1, -4, 2, 0.5F, 0.25F, 8});
  const WeightChoice four = choose_weights(weights, 0, Bits{4}, ClipMethod::kMinMax);
  EXPECT_EQ(four.quantizer.scales, (std::vector<float>{0.5F, 1.0F}));  // 4 / 8, 8 / 8
  const WeightChoice eight = choose_weights(weights, 0, Bits{8}, ClipMethod::kMinMax);
  EXPECT_EQ(eight.quantizer.scales, (std::vector<float>{4.0F / 127, 8.0F / 127}));
}

TEST(ChooseWeights, MeasuresTheErrorOfCodesTimesScales) {
  expect_holds([] {
    std::vector<float> data = *rc::gen::container<std::vector<float>>(
        24, rc::gen::map(rc::gen::inRange(-999, 1000), [](int i) { return static_cast<float>(i) / 100; }));
    const Tensor weights = Tensor::from<float>({2, 3, 4}, data);
    const int axis = *rc::gen::inRange(0, 3);
    const ClipMethod method = clip_methods()[*rc::gen::inRange<std::size_t>(0, clip_methods().size())].method;
    const WeightChoice choice = choose_weights(weights, axis, Bits{*rc::gen::inRange(2, 9)}, method);
    const Tensor back = dequantize_weights(weight_codes(weights, choice.quantizer), choice.quantizer);
    double sum = 0;
    double power = 0;
    for (std::size_t i = 0; i < data.size(); ++i) {
      sum += std::pow(double{data[i]} - double{back.data<float>()[i]}, 2);
      power += double{data[i]} * double{data[i]};
    }
    RC_ASSERT(std::abs(choice.mse - sum / 24) <= 1e-5 * choice.mse + 1e-10 * power);
  });
}

TEST(ChooseWeights, ChoosesEachChannelByItselfOnManyThreadsToo) {
  constexpr std::int64_t kChannels = 64;
  constexpr std::size_t kPerChannel = 300;
  Tensor weights(DType::kFloat32, {kChannels, static_cast<std::int64_t>(kPerChannel)});
  const auto values = weights.mutable_data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::sin(static_cast<float>(i * i % 1009)) * static_cast<float>(1 + i / kPerChannel);
  }
  const WeightChoice choice = choose_weights(weights, 0, Bits{4}, ClipMethod::kAuto);
  for (std::size_t c = 0; c < kChannels; ++c) {
    const WeightedValues channel = WeightedValues::exact(values.subspan(c * kPerChannel, kPerChannel));
    const StepChoice alone = choose_step(channel, WeightGrid::of(Bits{4}), Bits{4}, ClipMethod::kAuto);
    EXPECT_EQ(choice.quantizer.scales[c], static_cast<float>(alone.step));
    EXPECT_EQ(choice.methods[c], alone.method);
  }
}

TEST(ChooseWeights, FloorsDeadChannelsAndKeepsTheirCodesHarmless) {
  const Tensor weights = Tensor::from<float>({3, 2}, std::vector<float>{1, -2, 1e-20F, -3e-20F, 0, 0});
  for (const ClipMethodRow& row : clip_methods()) {
    const WeightChoice choice = choose_weights(weights, 0, Bits{8}, row.method);
    const std::vector<float>& scales = choice.quantizer.scales;
    EXPECT_FLOAT_EQ(scales[1], scales[0] / 65536) << row.name;
    EXPECT_EQ(scales[2], scales[1]) << row.name;
    const Tensor codes = weight_codes(weights, choice.quantizer);
    for (std::size_t i = 2; i < 6; ++i) EXPECT_EQ(codes.data<std::int8_t>()[i], 0);
  }
}

TEST(ChooseWeights, GivesAnAllZeroTensorScaleOne) {
  const WeightChoice choice = choose_weights(Tensor(DType::kFloat32, {2, 2}), 0, Bits{4}, ClipMethod::kAuto);
  EXPECT_EQ(choice.quantizer.scales, (std::vector<float>{1.0F, 1.0F}));
  EXPECT_EQ(choice.mse, 0);
}

TEST(ChooseWeights, GivesATensorTheScaleThatAllItsValuesTogetherHave) {
  Tensor weights(DType::kFloat32, {6, 5, 3});
  const auto values = weights.mutable_data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::sin(static_cast<float>(i * i % 1009)) * static_cast<float>(1 + i / 15);
  }
  const StepChoice together =
      choose_step(WeightedValues::exact(values), WeightGrid::of(Bits{4}), Bits{4}, ClipMethod::kAuto);
  for (const int axis : {0, 1, 2}) {
    const WeightChoice choice = choose_tensor_weights(weights, axis, Bits{4}, ClipMethod::kAuto);
    EXPECT_EQ(choice.quantizer.axis, axis);
    ASSERT_EQ(choice.quantizer.scales.size(),
              static_cast<std::size_t>(weights.shape()[static_cast<std::size_t>(axis)]));
    EXPECT_TRUE(has_one_scale(choice.quantizer));
    EXPECT_EQ(choice.quantizer.scales[0], static_cast<float>(together.step));
    EXPECT_DOUBLE_EQ(choice.mse, weight_mse(weights, choice.quantizer));
  }
  EXPECT_FALSE(has_one_scale(choose_weights(weights, 0, Bits{4}, ClipMethod::kAuto).quantizer));
}

TEST(ChooseWeights, RefusesNan) {
  const Tensor weights = Tensor::from<float>({1, 2}, std::vector<float>{1, std::nanf("")});
  EXPECT_THROW(choose_weights(weights, 0, Bits{4}, ClipMethod::kMinMax), Error);
}

TEST(ChooseWeights, CutsTheLargestMagnitudesByPercentile) {
  std::vector<float> values;
  for (int i = 1; i <= 20000; ++i) values.push_back(static_cast<float>(i % 2 == 0 ? i : -i));
  const StepChoice choice = choose_step(exact(values), WeightGrid::full(Bits{4}), Bits{4}, ClipMethod::kPercentile);
  EXPECT_DOUBLE_EQ(choice.step * 8, 19998);
}

TEST(Distortion, NeverGrowsWithMoreBitsUnderTheExactMethod) {
  const std::vector<Bits> widths = {Bits{2}, Bits{3}, Bits{4}, Bits{5}, Bits{6}, Bits{7}, Bits{8}, Bits{32}};
  expect_holds([&] {
    const std::vector<float> data = *numbers();
    const auto activation = activation_distortion({exact(data), {}, {}}, widths, ClipMethod::kMse);
    const Tensor tensor = Tensor::from<float>({1, static_cast<std::int64_t>(data.size())}, data);
    const auto weight = weight_distortion(tensor, 0, widths, ClipMethod::kMse);
    for (std::size_t i = 1; i < widths.size(); ++i) {
      RC_ASSERT(activation[i].distortion <= activation[i - 1].distortion * kFloatSlack + 1e-12);
      RC_ASSERT(weight[i].distortion <= weight[i - 1].distortion * kFloatSlack + 1e-12);
    }
    RC_ASSERT(activation.back().distortion == 0.0);
    RC_ASSERT(weight.back().distortion == 0.0);
  });
}

TEST(Distortion, IsTheErrorOverThePower) {
  // 2 bits, range [0, 3]: codes 0..3 hit 0, 1, 3 and miss 1.5 by 0.5.
  const auto rows = activation_distortion({exact({0, 1, 1.5F, 3}), {}, {}}, {Bits{2}}, ClipMethod::kMinMax);
  EXPECT_NEAR(rows.front().distortion, 0.25 / (1 + 2.25 + 9), 1e-12);
  EXPECT_EQ(activation_distortion({exact({0, 0}), {}, {}}, {Bits{2}}, ClipMethod::kAuto).front().distortion, 0);
  EXPECT_EQ(weight_distortion(Tensor(DType::kFloat32, {1, 4}), 0, {Bits{2}}, ClipMethod::kAuto).front().distortion, 0);
}

TEST(ClipMethods, AreFoundByTheirNames) {
  for (const ClipMethodRow& row : clip_methods()) {
    EXPECT_EQ(clip_method_from_name(row.name), row.method);
    EXPECT_EQ(clip_method_from_name(clip_method_name(row.method)), row.method);
  }
  try {
    clip_method_from_name("minmx");
    FAIL() << "an unknown name was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("did you mean 'minmax'"), std::string::npos) << error.what();
    EXPECT_NE(error.hint().find("aciq-gauss"), std::string::npos);
    EXPECT_NE(error.hint().find("lp[-P]"), std::string::npos);
  }
}

TEST(ClipMethods, TakeANumberBehindTheirName) {
  EXPECT_EQ(clip_method_from_name("percentile"), ClipMethod::percentile(99.99));
  EXPECT_EQ(clip_method_from_name("percentile-99.9"), ClipMethod::percentile(99.9));
  EXPECT_EQ(clip_method_from_name("lp-3"), ClipMethod::lp(3));
  EXPECT_EQ(clip_method_name(ClipMethod::percentile(99.9)), "percentile-99.9");
  EXPECT_EQ(clip_method_name(ClipMethod::lp(0.5)), "lp-0.5");
  EXPECT_EQ(clip_method_name(ClipMethod::kMse), "mse");
  for (const char* wrong : {"percentile-", "percentile-0", "percentile-100.5", "percentile-x", "percentile-99x", "lp-0",
                            "lp--1", "lp-nan", "lp-inf", "mse-2", "lp2.4"}) {
    EXPECT_THROW(clip_method_from_name(wrong), Error) << wrong;
  }
}

}  // namespace
}  // namespace cleave::quant
