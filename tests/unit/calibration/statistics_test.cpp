#include "calibration/statistics.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

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

/// Run i is of image i.
TensorStatistics observe(const Shape& shape, const std::vector<std::vector<float>>& runs, std::int64_t block = 1,
                         HistogramValues histogram_values = HistogramValues::kAll) {
  const graph::Graph graph = network(shape);
  const std::vector<TensorId> taps = {*graph.find("x")};
  StatisticsObserver observer(graph, taps, histogram_values);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    observer.begin_image(i);
    observer.observe({taps[0], runs[i].data(), shape, block});
  }
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
    quant::ValueCounts image;
    image.add(run);
    if (image.finite() > 0) statistics.image_ranges.add(image.min, image.max);
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

/// Without histograms.
TensorStatistics counters(TensorStatistics statistics) {
  statistics.histogram = quant::FloatHistogram(17);
  for (quant::ChannelStatistics& channel : statistics.channels) channel.histogram = quant::FloatHistogram(19);
  return statistics;
}

TensorStatistics sampled(const Shape& shape, const std::vector<std::vector<float>>& runs, std::int64_t block = 1) {
  return observe(shape, runs, block, HistogramValues::kSample);
}

TEST(SampledStatistics, CountEveryValueWhateverTheSample) {
  for (const bool special : {false, true}) {
    const Shape shape = {1, 19, 31, 23};
    const std::vector<std::vector<float>> runs = {mixed(element_count(shape), 1, special),
                                                  mixed(element_count(shape), 2, special)};
    EXPECT_EQ(counters(sampled(shape, runs)), counters(expected(shape, runs)));
    EXPECT_LT(sampled(shape, runs).histogram.bins().size(), expected(shape, runs).histogram.bins().size());
  }
}

TEST(SampledStatistics, AreTheSameInEveryLayout) {
  const Shape shape = {1, 19, 31, 23};
  const std::vector<float> plain = mixed(element_count(shape), 8, true);
  for (const std::int64_t block : {4, 16, 19, 32}) {
    EXPECT_EQ(sampled(shape, {blocked(shape, plain, block)}, block), sampled(shape, {plain})) << block;
  }
}

TEST(SampledStatistics, SmallTensorsAreTakenWhole) {
  for (const Shape& shape : {Shape{1, 512}, Shape{1, 8, 8, 8}, Shape{1, 1001}, Shape{7}}) {
    const std::vector<std::vector<float>> runs = {mixed(element_count(shape), 1, true)};
    EXPECT_EQ(sampled(shape, runs), expected(shape, runs)) << shape_text(shape);
  }
}

TEST(SampledStatistics, HoldAllOfTheMassAllZerosAndAllOfTheTail) {
  const Shape shape = {1, 8, 60, 60};
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = i % 3 == 0 ? 0.0F : static_cast<float>(i % 1000) / 1000.0F;
  for (const std::size_t i : {5U, 7000U, 7001U, 28'799U}) values[i] = 50.0F + static_cast<float>(i);
  values[123] = -0.75F;  // the least one, not in the tail
  const TensorStatistics seen = sampled(shape, {values});
  const TensorStatistics all = expected(shape, {values});
  EXPECT_EQ(seen.histogram.total(), values.size());
  std::map<std::uint32_t, std::uint64_t> bins;
  for (const auto& [index, count] : seen.histogram.bins()) bins[index] = count;
  for (const auto& [index, count] : all.histogram.bins()) {
    const bool far_out = std::bit_cast<float>(index << 17) >= 40.0F;
    if (index == 0 || far_out) {
      EXPECT_EQ(bins[index], count) << index;
    }
  }
  EXPECT_EQ(seen.weighted().min(), all.weighted().min());
  EXPECT_NEAR(seen.weighted().mean(), all.weighted().mean(), 0.05 * all.weighted().mean());
}

TEST(SampledStatistics, DependOnTheImagesAloneNotOnTheirOrderOrSplit) {
  const Shape shape = {1, 5, 40, 40};
  const graph::Graph graph = network(shape);
  const std::vector<TensorId> taps = {*graph.find("x")};
  const auto collect = [&](const std::vector<std::vector<std::uint32_t>>& parts) {
    std::map<std::string, TensorStatistics> tensors;
    for (const std::vector<std::uint32_t>& part : parts) {
      StatisticsObserver observer(graph, taps);
      for (const std::uint32_t image : part) {
        const std::vector<float> values = mixed(element_count(shape), image, true);
        observer.begin_image(image);
        observer.observe({taps[0], values.data(), shape, 1});
      }
      observer.move_into(tensors);
    }
    return tensors.at("x");
  };
  std::vector<std::uint32_t> many(150);  // more than wait at once
  std::iota(many.begin(), many.end(), 0);
  const TensorStatistics together = collect({many});
  std::reverse(many.begin(), many.end());
  EXPECT_EQ(collect({many}), together);
  EXPECT_EQ(collect({{many.begin(), many.begin() + 40}, {}, {many.begin() + 40, many.end()}}), together);
}

TEST(SampledStatistics, DifferentImagesShowDifferentPositions) {
  const Shape shape = {1, 1, 100, 100};
  std::vector<float> values(10'000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 1.0F + static_cast<float>(i);
  const std::size_t once = sampled(shape, {values}).channels[0].histogram.total();
  const TensorStatistics twice = sampled(shape, {values, values});
  const TensorStatistics first = sampled(shape, {values});
  EXPECT_EQ(twice.channels[0].histogram.total(), 2 * once);
  TensorStatistics doubled = first;
  doubled.merge(first);
  EXPECT_NE(twice.channels[0].histogram, doubled.channels[0].histogram);
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
  EXPECT_EQ(pre_activations(graph), (PreActivations{{relu, sum}}));
}

}  // namespace
}  // namespace cleave::calibration
