#include "tune/output_loss.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cleave::tune {
namespace {

Tensor row(const std::vector<float>& values) {
  return Tensor::from<float>({1, static_cast<std::int64_t>(values.size())}, values);
}

TEST(OutputDamage, OfScoresIsTheDivergenceOfTheirSoftmax) {
  const Tensor p = row({0.0F, std::log(3.0F)});  // 1/4, 3/4
  const Tensor q = row({5.0F, 5.0F});            // 1/2, 1/2
  const double expected = 0.25 * std::log(0.5) + 0.75 * std::log(1.5);
  EXPECT_NEAR(output_damage(std::span(&p, 1), std::span(&q, 1)), expected, 1e-7);
  EXPECT_EQ(output_damage(std::span(&p, 1), std::span(&p, 1)), 0);
}

TEST(OutputDamage, OfProbabilitiesTakesThemAsTheyAre) {
  const Tensor p = row({0.25F, 0.75F});
  const Tensor q = row({0.5F, 0.5F});
  EXPECT_NEAR(output_damage(std::span(&p, 1), std::span(&q, 1)), 0.25 * std::log(0.5) + 0.75 * std::log(1.5), 1e-7);
}

TEST(OutputDamage, OfMapsIsTheRelativeErrorAndOutputsAreAveraged) {
  const std::vector<Tensor> a = {Tensor::from<float>({1, 2, 2}, std::vector<float>{1, 2, 2, 4}),
                                 Tensor::from<float>({1, 2, 2}, std::vector<float>{0, 0, 0, 1})};
  const std::vector<Tensor> b = {Tensor::from<float>({1, 2, 2}, std::vector<float>{1, 2, 3, 2}),
                                 Tensor::from<float>({1, 2, 2}, std::vector<float>{0, 0, 0, 1})};
  EXPECT_NEAR(output_damage(a, b), 0.5 * 5.0 / 25.0, 1e-12);
}

TEST(OutputDamage, OfNumbersThatAreNoneIsInfinite) {
  const Tensor p = row({1, 2});
  const Tensor q = row({1, std::nanf("")});
  EXPECT_TRUE(std::isinf(output_damage(std::span(&p, 1), std::span(&q, 1))));
}

TEST(CrossEntropy, OfScoresAndOfProbabilities) {
  EXPECT_NEAR(cross_entropy(row({0, std::log(3.0F)}), 0), std::log(4.0), 1e-6);
  EXPECT_NEAR(cross_entropy(row({0.25F, 0.75F}), 1), -std::log(0.75), 1e-6);
  EXPECT_ANY_THROW(cross_entropy(row({0, 1}), 2));
}

}  // namespace
}  // namespace cleave::tune
