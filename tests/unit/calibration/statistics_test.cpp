#include "calibration/statistics.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <bit>
#include <cmath>
#include <limits>

#include "graph/builder.h"

namespace cleave::calibration {
namespace {

using graph::TensorId;
using quant::TensorStatistics;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kTiny = std::numeric_limits<float>::denorm_min();

/// A network whose only tap of interest is its input.
graph::Graph network(const Shape& shape) {
  graph::GraphBuilder builder;
  const TensorId x = builder.input("x", DType::kFloat32, shape);
  const TensorId y = builder.node("Relu", {x}, {"y"})[0];
  builder.set_shape(y, DType::kFloat32, shape);
  builder.output(y);
  return builder.build();
}

TensorStatistics observe(const Shape& shape, const std::vector<std::vector<float>>& runs, std::int64_t block = 1) {
  const graph::Graph graph = network(shape);
  const std::vector<TensorId> taps = {*graph.find("x")};
  StatisticsObserver observer(graph, taps);
  for (const std::vector<float>& run : runs) observer.observe({taps[0], run.data(), shape, block});
  std::map<std::string, TensorStatistics> tensors;
  observer.move_into(tensors);
  return tensors.at("x");
}

void count_naively(float value, quant::ValueCounts& counts, quant::FloatHistogram& histogram) {
  ++counts.count;
  if (std::isnan(value)) {
    ++counts.nans;
  } else if (std::isinf(value)) {
    ++counts.infs;
  } else {
    const float canonical = value == 0 ? 0.0F : value;
    counts.zeros += value == 0 ? 1U : 0U;
    counts.min = std::min(counts.min, canonical);
    counts.max = std::max(counts.max, canonical);
    histogram.add(canonical);
  }
}

/// One value after another, plain layout.
TensorStatistics expected(const Shape& shape, const std::vector<std::vector<float>>& runs) {
  TensorStatistics statistics = empty_statistics(shape);
  std::size_t inner = 1;
  for (std::size_t i = 2; i < shape.size(); ++i) inner *= static_cast<std::size_t>(shape[i]);
  for (const std::vector<float>& run : runs) {
    for (std::size_t i = 0; i < run.size(); ++i) {
      count_naively(run[i], statistics.counts, statistics.histogram);
      if (statistics.channels.empty()) continue;
      quant::ChannelStatistics& channel = statistics.channels[i / inner % static_cast<std::size_t>(shape[1])];
      count_naively(run[i], channel.counts, channel.histogram);
    }
  }
  return statistics;
}

/// Plain values in the layout [N][ceil(C/B)][spatial][B]; padding is NaN, which must never be counted.
std::vector<float> blocked(const Shape& shape, const std::vector<float>& plain, std::int64_t block) {
  const std::int64_t channels = shape[1];
  const std::int64_t blocks = (channels + block - 1) / block;
  const std::int64_t spatial = element_count(shape) / shape[0] / channels;
  std::vector<float> result(static_cast<std::size_t>(shape[0] * blocks * spatial * block), kNan);
  for (std::int64_t n = 0; n < shape[0]; ++n) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t s = 0; s < spatial; ++s) {
        const std::int64_t to = ((n * blocks + c / block) * spatial + s) * block + c % block;
        result[static_cast<std::size_t>(to)] = plain[static_cast<std::size_t>((n * channels + c) * spatial + s)];
      }
    }
  }
  return result;
}

/// Values of very different sizes, zeros of both signs, NaN, infinities and subnormal numbers among them.
std::vector<float> mixed(std::int64_t count, std::uint32_t seed, bool special) {
  std::vector<float> values;
  std::uint32_t state = seed * 2654435761U + 1U;
  const std::vector<float> rare = {0.0F, -0.0F, kNan, kInf, -kInf, kTiny, -kTiny, std::bit_cast<float>(0x7F800001U)};
  for (std::int64_t i = 0; i < count; ++i) {
    state = state * 1664525U + 1013904223U;
    const float spread =
        std::ldexp(static_cast<float>(state >> 9) / 8388608.0F, static_cast<int>(state >> 4 & 31) - 20);
    const float value = (state & 8) != 0 ? spread : -spread;
    values.push_back(special && state % 5 == 0 ? rare[state >> 12 & 7] : value);
  }
  return values;
}

TEST(Statistics, ByHand) {
  const TensorStatistics seen = observe({1, 2, 1, 3}, {{1, 0, -2, kNan, -0.0F, kInf}});
  EXPECT_EQ(seen.counts.count, 6U);
  EXPECT_EQ(seen.counts.zeros, 2U);
  EXPECT_EQ(seen.counts.nans, 1U);
  EXPECT_EQ(seen.counts.infs, 1U);
  EXPECT_EQ(seen.counts.min, -2);
  EXPECT_EQ(seen.counts.max, 1);
  EXPECT_EQ(seen.histogram.total(), 4U);
  ASSERT_EQ(seen.channels.size(), 2U);
  EXPECT_EQ(seen.channels[0].counts.min, -2);
  EXPECT_EQ(seen.channels[1].counts.min, 0);
  EXPECT_FALSE(std::signbit(seen.channels[1].counts.min));
  EXPECT_EQ(seen.channels[1].histogram.bins(), (std::vector<quant::FloatHistogram::Bin>{{0, 1}}));
}

TEST(Statistics, EqualANaiveLoopOnEveryLayout) {
  const bool held = rc::check([] {
    const Shape shape = {*rc::gen::inRange<std::int64_t>(1, 3), *rc::gen::inRange<std::int64_t>(1, 40),
                         *rc::gen::inRange<std::int64_t>(1, 9), *rc::gen::inRange<std::int64_t>(1, 9)};
    const std::vector<float> plain = mixed(element_count(shape), *rc::gen::arbitrary<std::uint32_t>(), true);
    const TensorStatistics wanted = expected(shape, {plain});
    RC_ASSERT(observe(shape, {plain}) == wanted);
    for (const std::int64_t block : {std::int64_t{4}, std::int64_t{8}, std::int64_t{16}, shape[1], shape[1] + 3}) {
      if (block > 1) RC_ASSERT(observe(shape, {blocked(shape, plain, block)}, block) == wanted);
    }
  });
  EXPECT_TRUE(held);
}

TEST(Statistics, EqualANaiveLoopOnLongRows) {
  for (const bool special : {false, true}) {
    const Shape shape = {1, 3, 97, 101};  // rows longer than two chunks
    const std::vector<float> plain = mixed(element_count(shape), 5, special);
    const TensorStatistics wanted = expected(shape, {plain, plain});
    EXPECT_EQ(observe(shape, {plain, plain}), wanted);
    for (const std::int64_t block : {3, 8}) {
      const std::vector<float> turned = blocked(shape, plain, block);
      EXPECT_EQ(observe(shape, {turned, turned}, block), wanted) << block;
    }
  }
}

TEST(Statistics, CountsOfOneBinPass65535) {
  const Shape shape = {1, 2, 300, 300};
  const std::vector<float> same(static_cast<std::size_t>(element_count(shape)), -1.5F);
  const TensorStatistics seen = observe(shape, {same, same, same, same});
  EXPECT_EQ(seen.channels[1].histogram.total(), 360'000U);
  EXPECT_EQ(seen, expected(shape, {same, same, same, same}));
  EXPECT_EQ(observe(shape, {same, same}, 2), expected(shape, {same, same}));
}

TEST(Statistics, AChannelMayChangeItsScaleFromRunToRun) {
  const Shape shape = {1, 3, 8, 8};
  std::vector<std::vector<float>> runs;
  for (const int exponent : {-100, 0, 60, -20, 127, -126}) {
    std::vector<float> run = mixed(element_count(shape), 11, true);
    for (float& value : run) value = std::ldexp(value, exponent);
    runs.push_back(run);
  }
  runs.insert(runs.begin(), std::vector<float>(192, 0.0F));
  EXPECT_EQ(observe(shape, runs), expected(shape, runs));
}

TEST(Statistics, TensorsOfAnyRankAreCounted) {
  for (const Shape& shape : {Shape{}, Shape{5}, Shape{1, 7}, Shape{2, 3, 4}, Shape{1, 2, 3, 2, 2}}) {
    const std::vector<float> plain = mixed(element_count(shape), 3, true);
    const TensorStatistics wanted = expected(shape, {plain});
    EXPECT_EQ(observe(shape, {plain}), wanted) << shape_text(shape);
    EXPECT_EQ(wanted.channels.size(), shape.size() < 2 ? 0U : static_cast<std::size_t>(shape[1]));
  }
}

TEST(Statistics, TooManyChannelsAreCountedAsOneTensor) {
  const Shape many = {1, kMaxChannels + 1, 2};
  const std::vector<float> values = mixed(element_count(many), 9, true);
  EXPECT_TRUE(observe(many, {values}).channels.empty());
  EXPECT_EQ(observe(many, {values}), expected(many, {values}));
  EXPECT_EQ(observe(many, {blocked(many, values, 16)}, 16), expected(many, {values}));
  EXPECT_EQ(empty_statistics({1, kMaxChannels, 2}).channels.size(), static_cast<std::size_t>(kMaxChannels));
}

TEST(Statistics, NothingButNanLeavesNoRange) {
  const TensorStatistics seen = observe({1, 1, 2}, {{kNan, -kInf}});
  EXPECT_GT(seen.counts.min, seen.counts.max);
  EXPECT_TRUE(seen.histogram.empty());
  EXPECT_EQ(seen.counts.finite(), 0U);
}

TEST(Statistics, AnyOrderAndAnySplitOfTheRunsGivesTheSame) {
  const Shape shape = {1, 5, 40, 40};
  std::vector<std::vector<float>> runs;
  for (std::uint32_t seed = 0; seed < 4; ++seed) runs.push_back(mixed(element_count(shape), seed, true));
  const TensorStatistics together = observe(shape, runs);
  TensorStatistics parts = observe(shape, {runs[3], runs[1]});
  parts.merge(observe(shape, {runs[2]}));
  parts.merge(observe(shape, {runs[0]}));
  EXPECT_EQ(parts, together);
}

TEST(Statistics, MovingOutStartsAnewAndMerges) {
  const graph::Graph graph = network({1, 2});
  const std::vector<TensorId> taps = {*graph.find("x")};
  StatisticsObserver observer(graph, taps);
  const std::vector<float> values = {1, 2};
  const Shape shape = {1, 2};
  std::map<std::string, TensorStatistics> tensors;
  for (int run = 0; run < 3; ++run) {
    observer.observe({taps[0], values.data(), shape, 1});
    observer.move_into(tensors);
  }
  observer.move_into(tensors);
  EXPECT_EQ(tensors.at("x").counts.count, 6U);
}

TEST(Statistics, TapsAreInputsAndUnitOutputsInFloat) {
  graph::GraphBuilder builder;
  const TensorId x = builder.input("x", DType::kFloat32, {1, 2});
  const TensorId ids = builder.input("ids", DType::kInt64, {1, 2});
  const TensorId sum = builder.node("Add", {x, x}, {"sum"})[0];
  const TensorId relu = builder.node("Relu", {sum}, {"relu"})[0];
  const TensorId cast = builder.node("Cast", {relu}, {"cast"}, {{"to", std::int64_t{7}}})[0];
  const TensorId both = builder.node("Add", {cast, ids}, {"both"})[0];
  for (const TensorId id : {sum, relu}) builder.set_shape(id, DType::kFloat32, {1, 2});
  for (const TensorId id : {cast, both}) builder.set_shape(id, DType::kInt64, {1, 2});
  builder.output(both);
  const graph::Graph graph = builder.build();
  std::vector<std::string> names;
  for (const TensorId id : calibration_taps(graph)) names.push_back(graph.tensor(id).name);
  EXPECT_EQ(names, (std::vector<std::string>{"x", "relu"}));  // sum is inside the unit Add + Relu
}

}  // namespace
}  // namespace cleave::calibration
