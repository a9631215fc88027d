#include "tune/least_squares.h"

#include <gtest/gtest.h>

#include <random>

#include "tune/target_sum.h"

namespace cleave::tune {
namespace {

/// Columns of a matrix product: samples of k inputs each.
ColumnGeometry product(std::int64_t k) {
  ColumnGeometry geometry;
  geometry.channels = k;
  return geometry;
}

struct Data {
  std::vector<double> hessian, products, mean_inputs, mean_targets;
};

/// Moments by their definition.
Data moments(const std::vector<std::vector<float>>& xs, const std::vector<std::vector<float>>& ys) {
  const std::size_t k = xs[0].size();
  const std::size_t rows = ys[0].size();
  Data data{std::vector<double>(k * k), std::vector<double>(rows * k), std::vector<double>(k),
            std::vector<double>(rows)};
  const double share = 1.0 / static_cast<double>(xs.size());
  for (std::size_t n = 0; n < xs.size(); ++n) {
    for (std::size_t i = 0; i < k; ++i) {
      data.mean_inputs[i] += share * static_cast<double>(xs[n][i]);
      for (std::size_t j = 0; j < k; ++j) data.hessian[i * k + j] += 2 * share * double{xs[n][i]} * double{xs[n][j]};
      for (std::size_t r = 0; r < rows; ++r) data.products[r * k + i] += share * double{ys[n][r]} * double{xs[n][i]};
    }
    for (std::size_t r = 0; r < rows; ++r) data.mean_targets[r] += share * static_cast<double>(ys[n][r]);
  }
  return data;
}

std::vector<std::vector<float>> random_rows(std::size_t count, std::size_t size, std::mt19937& engine) {
  std::normal_distribution<float> value;
  std::vector<std::vector<float>> rows(count, std::vector<float>(size));
  for (auto& row : rows) {
    for (float& x : row) x = value(engine);
  }
  return rows;
}

TEST(LeastSquares, RecoversTheWeightsThatMadeTheTargets) {
  std::mt19937 engine(3);
  const auto xs = random_rows(400, 5, engine);
  const std::vector<float> truth{1.0F, -2.0F, 0.5F, 0.0F, 3.0F};
  std::vector<std::vector<float>> ys;
  for (const auto& x : xs) {
    float y = 7.0F;  // the constant does not count
    for (std::size_t i = 0; i < 5; ++i) y += truth[i] * x[i];
    ys.push_back({y});
  }
  const Data data = moments(xs, ys);
  const std::vector<float> start{0.9F, -1.8F, 0.4F, 0.1F, 2.5F};
  const auto found = least_squares(start, {data.hessian, data.products, data.mean_inputs, data.mean_targets}, 1e-6);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(found.weights[i], truth[i], 1e-4);
}

TEST(LeastSquares, StaysAtTheGivenWeightsUnderMuchDamping) {
  std::mt19937 engine(4);
  const auto xs = random_rows(50, 3, engine);
  const auto ys = random_rows(50, 2, engine);
  const Data data = moments(xs, ys);
  const std::vector<float> start{1, 2, 3, 4, 5, 6};
  const auto found = least_squares(start, {data.hessian, data.products, data.mean_inputs, data.mean_targets}, 1e9);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(found.weights[i], start[i], 1e-5);
}

TEST(LeastSquares, NoisyInputsAreTrustedLess) {
  // y = x, seen as x + noise of the same power: the best weight is a half.
  std::mt19937 engine(5);
  const auto clean = random_rows(20000, 1, engine);
  const auto noise = random_rows(20000, 1, engine);
  auto seen = clean;
  for (std::size_t n = 0; n < seen.size(); ++n) seen[n][0] += noise[n][0];
  const Data data = moments(seen, clean);
  const std::vector<float> start{1};
  const auto found = least_squares(start, {data.hessian, data.products, data.mean_inputs, data.mean_targets}, 1e-9);
  EXPECT_NEAR(found.weights[0], 0.5, 0.02);
}

TEST(TargetSum, OfAMatrixProductIsItsDefinition) {
  std::mt19937 engine(6);
  const auto xs = random_rows(7, 300, engine);  // more entries than one task takes
  const auto ys = random_rows(7, 4, engine);
  TargetSum sum(product(300), 4, 2);
  for (std::size_t n = 0; n < xs.size(); ++n) sum.add(xs[n], ys[n]);
  const Data data = moments(xs, ys);
  const auto products = sum.mean_products(0);
  for (std::size_t i = 0; i < products.size(); ++i) EXPECT_NEAR(products[i], data.products[i], 1e-6);
  for (std::size_t i = 0; i < 300; ++i) EXPECT_NEAR(sum.mean_inputs(0)[i], data.mean_inputs[i], 1e-6);
  for (std::size_t r = 0; r < 4; ++r) EXPECT_NEAR(sum.mean_targets()[r], data.mean_targets[r], 1e-6);
  EXPECT_EQ(sum.columns(), 7);
}

TEST(TargetSum, OfAGroupedConvolutionIsItsDefinition) {
  std::mt19937 engine(7);
  ColumnGeometry geometry;  // 4 channels in 2 groups, 3x3 kernel on 5x5 pixels, padded
  geometry.channels = 4;
  geometry.groups = 2;
  geometry.window.kernel = {1, 3, 3};
  geometry.window.input = geometry.window.output = {1, 5, 5};
  geometry.window.pad_begin = geometry.window.pad_end = {0, 1, 1};
  const auto input = random_rows(1, 4 * 25, engine)[0];
  const auto targets = random_rows(1, 6 * 25, engine)[0];
  TargetSum sum(geometry, 6, 1);
  sum.add(input, targets);
  for (std::int64_t row = 0; row < 6; ++row) {
    const std::int64_t group = row / 3;
    for (std::int64_t k = 0; k < 18; ++k) {
      double expected = 0;
      for (std::int64_t y = 0; y < 5; ++y) {
        for (std::int64_t x = 0; x < 5; ++x) {
          const std::int64_t iy = y + k % 9 / 3 - 1;
          const std::int64_t ix = x + k % 3 - 1;
          if (iy < 0 || iy >= 5 || ix < 0 || ix >= 5) continue;
          const auto at = static_cast<std::size_t>(((group * 2 + k / 9) * 5 + iy) * 5 + ix);
          expected += double{input[at]} * double{targets[static_cast<std::size_t>(row * 25 + y * 5 + x)]};
        }
      }
      EXPECT_NEAR(sum.mean_products(group)[static_cast<std::size_t>((row % 3) * 18 + k)], expected / 25, 1e-5);
    }
  }
}

}  // namespace
}  // namespace cleave::tune
