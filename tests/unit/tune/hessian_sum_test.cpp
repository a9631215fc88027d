#include "tune/hessian_sum.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "graph/builder.h"

namespace cleave::tune {
namespace {

using graph::TensorId;

/// A convolution to be looked at.
struct Case {
  Shape input;    ///< [1, C, spatial...]
  Shape weights;  ///< [M, C / groups, kernel...]
  std::int64_t groups = 1;
  Shape strides, pads, dilations;
};

std::vector<float> random_values(std::int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.3F, 1.0F);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = normal(random);
  return values;
}

graph::Graph network(const Case& c) {
  graph::GraphBuilder builder;
  const TensorId x = builder.input("x", DType::kFloat32, c.input);
  const TensorId w = builder.constant("w", Tensor(DType::kFloat32, c.weights));
  const TensorId y =
      builder.node("Conv", {x, w}, {"y"},
                   {{"strides", c.strides}, {"pads", c.pads}, {"dilations", c.dilations}, {"group", c.groups}})[0];
  Shape output = {c.input[0], c.weights[0]};
  const std::size_t rank = c.strides.size();
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t reach = (c.weights[i + 2] - 1) * c.dilations[i] + 1;
    output.push_back((c.input[i + 2] + c.pads[i] + c.pads[i + rank] - reach) / c.strides[i] + 1);
  }
  builder.set_shape(y, DType::kFloat32, output);
  builder.output(y);
  return builder.build();
}

ColumnGeometry geometry_of(const Case& c) {
  const graph::Graph graph = network(c);
  return column_geometry(graph, graph.units()[0]).value();
}

/// The columns of a group by the definition of a 2-d convolution: one value after another.
std::vector<std::vector<double>> columns_by_hand(const Case& c, const std::vector<float>& x, std::int64_t group) {
  const std::int64_t channels = c.input[1], height = c.input[2], width = c.input[3];
  const std::int64_t samples = static_cast<std::int64_t>(x.size()) / (channels * height * width);
  const std::int64_t kh = c.weights[2], kw = c.weights[3], own = c.weights[1];
  const std::int64_t oh = (height + c.pads[0] + c.pads[2] - (kh - 1) * c.dilations[0] - 1) / c.strides[0] + 1;
  const std::int64_t ow = (width + c.pads[1] + c.pads[3] - (kw - 1) * c.dilations[1] - 1) / c.strides[1] + 1;
  std::vector<std::vector<double>> columns;
  for (std::int64_t n = 0; n < samples; ++n) {
    for (std::int64_t p = 0; p < oh * ow; ++p) {
      std::vector<double> column;
      for (std::int64_t k = 0; k < own * kh * kw; ++k) {
        const std::int64_t channel = group * own + k / (kh * kw);
        const std::int64_t iy = p / ow * c.strides[0] + k / kw % kh * c.dilations[0] - c.pads[0];
        const std::int64_t ix = p % ow * c.strides[1] + k % kw * c.dilations[1] - c.pads[1];
        const bool outside = iy < 0 || iy >= height || ix < 0 || ix >= width;
        const std::int64_t at = ((n * channels + channel) * height + iy) * width + ix;
        column.push_back(outside ? 0.0 : static_cast<double>(x[static_cast<std::size_t>(at)]));
      }
      columns.push_back(column);
    }
  }
  return columns;
}

/// 2 E[x x^T] of columns, in double.
std::vector<double> hessian_by_hand(const std::vector<std::vector<double>>& columns) {
  const std::size_t n = columns[0].size();
  std::vector<double> sums(n * n);
  for (const std::vector<double>& column : columns) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) sums[i * n + j] += column[i] * column[j];
    }
  }
  for (double& sum : sums) sum *= 2.0 / static_cast<double>(columns.size());
  return sums;
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b, double relative) {
  ASSERT_EQ(a.size(), b.size());
  double largest = 0;
  for (const double value : b) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], relative * largest) << i;
}

const std::vector<Case> kCases = {
    {{1, 3, 8, 9}, {4, 3, 3, 3}, 1, {1, 1}, {1, 1, 1, 1}, {1, 1}},
    {{1, 5, 11, 7}, {4, 5, 1, 1}, 1, {1, 1}, {0, 0, 0, 0}, {1, 1}},
    {{1, 4, 9, 9}, {8, 4, 1, 1}, 1, {2, 2}, {0, 0, 0, 0}, {1, 1}},
    {{1, 6, 13, 12}, {6, 1, 3, 3}, 6, {2, 2}, {0, 1, 1, 0}, {1, 1}},
    {{1, 6, 13, 12}, {9, 2, 5, 2}, 3, {1, 3}, {2, 0, 2, 4}, {2, 3}},
    {{1, 40, 20, 20}, {2, 40, 3, 3}, 1, {1, 1}, {1, 1, 1, 1}, {1, 1}},  // several tiles, several blocks of positions
    {{1, 2, 3, 3}, {1, 2, 3, 3}, 1, {1, 1}, {5, 5, 5, 5}, {1, 1}},      // much of it over padding
};

TEST(HessianSum, EqualsTheDefinitionOnConvolutionsOfEveryKind) {
  for (const Case& c : kCases) {
    const std::vector<float> x = random_values(3 * element_count(c.input), 7);
    HessianSum sum(geometry_of(c), 2);
    const std::span<const float> values(x);
    const std::size_t sample = values.size() / 3;
    sum.add(values.first(sample));
    sum.add(values.subspan(sample));
    for (std::int64_t group = 0; group < c.groups; ++group) {
      const auto columns = columns_by_hand(c, x, group);
      EXPECT_EQ(sum.columns(), static_cast<std::int64_t>(columns.size()));
      expect_near(sum.hessian(group), hessian_by_hand(columns), 1e-6);
    }
  }
}

TEST(HessianSum, GivesTheSameBitsForAnyNumberOfThreads) {
  for (const Case& c : kCases) {
    const std::vector<float> x = random_values(element_count(c.input), 3);
    HessianSum one(geometry_of(c), 1);
    HessianSum four(geometry_of(c), 4);
    one.add(x);
    four.add(x);
    for (std::int64_t group = 0; group < c.groups; ++group) EXPECT_EQ(one.hessian(group), four.hessian(group));
  }
}

TEST(HessianSum, OfAMatrixProductIsOverItsRows) {
  graph::GraphBuilder builder;
  const TensorId x = builder.input("x", DType::kFloat32, {5, 33});
  const TensorId w = builder.constant("w", Tensor(DType::kFloat32, {4, 33}));
  const TensorId y = builder.node("Gemm", {x, w}, {"y"}, {{"transB", std::int64_t{1}}})[0];
  builder.set_shape(y, DType::kFloat32, {5, 4});
  builder.output(y);
  const graph::Graph graph = builder.build();
  const std::vector<float> values = random_values(5 * 33, 1);
  HessianSum sum(column_geometry(graph, graph.units()[0]).value());
  sum.add(values);
  std::vector<std::vector<double>> rows;
  for (std::size_t r = 0; r < 5; ++r) rows.emplace_back(values.begin() + 33 * r, values.begin() + 33 * (r + 1));
  EXPECT_EQ(sum.columns(), 5);
  expect_near(sum.hessian(), hessian_by_hand(rows), 1e-6);
}

TEST(HessianSum, OfALineAndOfAVolumeFollowsTheSameOrder) {
  // A kernel of one row or one plane sees what its 2-d twin sees.
  const std::vector<float> x = random_values(3 * 17, 2);
  const Case flat{{1, 3, 1, 17}, {2, 3, 1, 4}, 1, {1, 2}, {0, 1, 0, 2}, {1, 1}};
  const Case line{{1, 3, 17}, {2, 3, 4}, 1, {2}, {1, 2}, {1}};
  const Case volume{{1, 3, 1, 1, 17}, {2, 3, 1, 1, 4}, 1, {1, 1, 2}, {0, 0, 1, 0, 0, 2}, {1, 1, 1}};
  HessianSum expected(geometry_of(flat));
  expected.add(x);
  for (const Case& c : {line, volume}) {
    HessianSum sum(geometry_of(c));
    sum.add(x);
    EXPECT_EQ(sum.hessian(), expected.hessian());
  }
}

TEST(HessianSum, ByHand) {
  // x = (1 2 3), kernel of two pixels: columns (1,2) and (2,3), sum (5 8; 8 13), H = sum.
  const Case c{{1, 1, 1, 3}, {1, 1, 1, 2}, 1, {1, 1}, {0, 0, 0, 0}, {1, 1}};
  HessianSum sum(geometry_of(c));
  EXPECT_EQ(sum.hessian(), (std::vector<double>{0, 0, 0, 0}));
  sum.add(std::vector<float>{1, 2, 3});
  EXPECT_EQ(sum.hessian(), (std::vector<double>{5, 8, 8, 13}));
  HessianSum twice(geometry_of(c));
  twice.merge(sum);
  twice.merge(sum);
  EXPECT_EQ(twice.columns(), 4);
  EXPECT_EQ(twice.hessian(), sum.hessian());
}

TEST(HessianSum, ValuesThatAreNotFiniteCountAsZero) {
  const Case c{{1, 1, 1, 3}, {1, 1, 1, 1}, 1, {1, 1}, {0, 0, 0, 0}, {1, 1}};
  HessianSum sum(geometry_of(c));
  sum.add(std::vector<float>{std::numeric_limits<float>::quiet_NaN(), 3, -std::numeric_limits<float>::infinity()});
  EXPECT_EQ(sum.hessian(), (std::vector<double>{6}));
}

TEST(HessianSum, OtherUnitsHaveNoColumns) {
  graph::GraphBuilder builder;
  const TensorId x = builder.input("x", DType::kFloat32, {1, 2, 3, 3});
  const TensorId w = builder.constant("w", Tensor(DType::kFloat32, {2, 4, 2, 2}));
  const TensorId up = builder.node("ConvTranspose", {x, w}, {"up"})[0];
  const TensorId r = builder.node("Relu", {x}, {"r"})[0];
  builder.set_shape(up, DType::kFloat32, {1, 4, 4, 4});
  builder.set_shape(r, DType::kFloat32, {1, 2, 3, 3});
  builder.output(up);
  builder.output(r);
  const graph::Graph graph = builder.build();
  for (const graph::Unit& unit : graph.units()) EXPECT_FALSE(column_geometry(graph, unit)) << unit.name;
}

}  // namespace
}  // namespace cleave::tune
