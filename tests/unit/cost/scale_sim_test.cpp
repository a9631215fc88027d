#include "cost/scale_sim.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "support/error_kind.h"
#include "support/property.h"

namespace cleave::cost {
namespace {

using cleave::testing::expect_holds;

/// A read buffer as SCALE-Sim describes it, one address at a time.
struct Buffer {
  std::size_t words;
  std::set<std::int64_t> held = {};
  std::int64_t reads = 0;

  void demand(std::int64_t address) {
    if (address < 0 || !held.insert(address).second) return;
    ++reads;
    if (held.size() == words) held.clear();
  }
};

/// Address of word `k` of window `p` (-1: over the border).
std::int64_t input_address(const TopologyLayer& layer, std::int64_t p, std::int64_t k) {
  const std::int64_t span = layer.ifmap_width - layer.filter_width + layer.stride_width;
  const std::int64_t columns = (span + layer.stride_width - 1) / layer.stride_width;
  const std::int64_t row = p / columns * layer.stride_height + k / layer.channels / layer.filter_width;
  const std::int64_t column = p % columns * layer.stride_width + k / layer.channels % layer.filter_width;
  if (row >= layer.ifmap_height || column >= layer.ifmap_width) return -1;
  return (row * layer.ifmap_width + column) * layer.channels + k % layer.channels;
}

/// The whole array, every fold and line, with neither shortcut nor repetition.
DramTraffic simulate(const TopologyLayer& layer, const SystolicArray& array, std::size_t ifmap_words,
                     std::size_t filter_words) {
  const GemmShape gemm = gemm_of_layer(layer);
  const bool ws = array.dataflow == Dataflow::kWeightStationary;
  const bool os = array.dataflow == Dataflow::kOutputStationary;
  const std::int64_t spatial_rows = os ? gemm.pixels : gemm.window;
  const std::int64_t spatial_columns = ws || os ? gemm.filters : gemm.pixels;
  const std::int64_t time = ws ? gemm.pixels : os ? gemm.window : gemm.filters;
  Buffer ifmap{ifmap_words};
  Buffer filter{filter_words};
  const auto input = [&](std::int64_t p, std::int64_t k) { ifmap.demand(input_address(layer, p, k)); };
  const auto weight = [&](std::int64_t n, std::int64_t k) { filter.demand(n * gemm.window + k); };
  std::int64_t writes = 0;
  for (std::int64_t c0 = 0; c0 < spatial_columns; c0 += array.columns) {
    const std::int64_t columns = std::min(array.columns, spatial_columns - c0);
    for (std::int64_t r0 = 0; r0 < spatial_rows; r0 += array.rows) {
      const std::int64_t rows = std::min(array.rows, spatial_rows - r0);
      for (std::int64_t r = rows - 1; r >= 0 && !os; --r) {
        for (std::int64_t c = 0; c < columns; ++c) ws ? weight(c0 + c, r0 + r) : input(c0 + c, r0 + r);
      }
      for (std::int64_t line = 0; line < time + rows + columns; ++line) {
        for (std::int64_t r = 0; r < rows; ++r) {
          const std::int64_t step = line - r;
          if (step < 0 || step >= time) continue;
          if (ws) input(step, r0 + r);
          if (os) input(r0 + r, step);
          if (!ws && !os) weight(step, r0 + r);
        }
        for (std::int64_t c = 0; os && c < columns; ++c) {
          if (line - c >= 0 && line - c < time) weight(c0 + c, line - c);
        }
      }
      writes += os ? rows * columns : columns * time;
    }
  }
  return {ifmap.reads, filter.reads, writes};
}

std::int64_t draw(std::int64_t least, std::int64_t most) {
  return *rc::gen::inRange<std::int64_t>(least, most + 1);
}

TopologyLayer draw_layer() {
  TopologyLayer layer{};
  layer.filter_height = draw(1, 4);
  layer.filter_width = draw(1, 4);
  layer.ifmap_height = layer.filter_height + draw(0, 6);
  layer.ifmap_width = layer.filter_width + draw(0, 6);
  layer.channels = draw(1, 5);
  layer.filters = draw(1, 12);
  layer.stride_height = draw(1, 3);
  layer.stride_width = draw(1, 3);
  return layer;
}

SystolicArray draw_array() {
  return {draw(1, 9), draw(1, 5),
          *rc::gen::element(Dataflow::kWeightStationary, Dataflow::kOutputStationary, Dataflow::kInputStationary)};
}

TEST(DramTraffic, EqualsTheSimulationOfEveryAccess) {
  expect_holds([] {
    const TopologyLayer layer = draw_layer();
    const SystolicArray array = draw_array();
    const std::int64_t ifmap_words = draw(1, 120);
    const std::int64_t filter_words = draw(1, 120);
    const DramTraffic found = dram_traffic(layer, array, ifmap_words, filter_words);
    const DramTraffic wanted =
        simulate(layer, array, static_cast<std::size_t>(ifmap_words), static_cast<std::size_t>(filter_words));
    RC_ASSERT(found.ifmap_reads == wanted.ifmap_reads);
    RC_ASSERT(found.filter_reads == wanted.filter_reads);
    RC_ASSERT(found.ofmap_writes == wanted.ofmap_writes);
  });
}

TEST(DramTraffic, ReadsEachWordOnceIntoABufferThatHoldsThemAll) {
  // 3 x 3 x 2 inputs, 2 x 2 filters: 18 words; 3 filters of 8 words.
  const TopologyLayer layer{3, 3, 2, 2, 2, 3, 1, 1};
  for (const Dataflow dataflow :
       {Dataflow::kWeightStationary, Dataflow::kOutputStationary, Dataflow::kInputStationary}) {
    const DramTraffic traffic = dram_traffic(layer, {4, 2, dataflow}, 19, 25);
    EXPECT_EQ(traffic.ifmap_reads, 18);
    EXPECT_EQ(traffic.filter_reads, 24);
  }
}

TEST(DramTraffic, ReadsAgainWhatASmallBufferForgot) {
  // One row of four pixels, filters of 1 x 2: windows 01, 12, 23. On 1 x 1, weight-stationary, a filter asks for
  // 0 1 2, then for 1 2 3. Two words: 0 1 | 2 1 | 2 3 | and so on, every demand is a read.
  const TopologyLayer layer{1, 4, 1, 2, 1, 2, 1, 1};
  const SystolicArray array{1, 1, Dataflow::kWeightStationary};
  EXPECT_EQ(dram_traffic(layer, array, 2, 9).ifmap_reads, 12);
  // Three words: 0 1 2 | 1 2 3 | twice.
  EXPECT_EQ(dram_traffic(layer, array, 3, 9).ifmap_reads, 12);
  // Four: 0 1 2 - - 3 | 0 1 2 - - 3 |.
  EXPECT_EQ(dram_traffic(layer, array, 4, 9).ifmap_reads, 8);
  // Partial sums of two row folds: 3 pixels * 2 filters * 2.
  EXPECT_EQ(dram_traffic(layer, array, 4, 9).ofmap_writes, 12);
}

TEST(DramTraffic, IsNotCountedForAbsurdSizes) {
  const std::int64_t side = std::int64_t{1} << 20;
  const TopologyLayer layer{side, side, 3, 3, 1, 1, 1, 1};
  const SystolicArray array{8, 8, Dataflow::kWeightStationary};
  EXPECT_EQ(cleave::testing::kind_of([&] { dram_traffic(layer, array, 9, 9); }), ErrorKind::kUnsupported);
}

TEST(BufferWords, AreHalfOfAHundredSets) {
  EXPECT_EQ(buffer_words(std::int64_t{1024} * 36), 18400);
  EXPECT_EQ(buffer_words(std::int64_t{1024} * 6144), 3145700);
  EXPECT_EQ(buffer_words(std::int64_t{1024} * 4), 2000);
}

TEST(GemmOfLayer, KeepsAWindowThatHangsOverTheBorder) {
  const GemmShape gemm = gemm_of_layer({6, 7, 3, 2, 4, 5, 2, 2});
  EXPECT_EQ(gemm.pixels, 3 * 4);
  EXPECT_EQ(gemm.window, 24);
  EXPECT_EQ(gemm.filters, 5);
}

TEST(Version1Cycles, PayForTheRowsAndColumnsInUse) {
  // P = 4, K = 4, N = 3 on 3 x 2, weight-stationary: folds of rows 3, 1 and columns 2, 1: 2r + c + 4.
  const TopologyLayer layer{3, 3, 2, 2, 1, 3, 1, 1};
  EXPECT_EQ(version_1_cycles(layer, {3, 2, Dataflow::kWeightStationary}), (12 + 8) + (11 + 7));
  // Input-stationary: columns 2, 2: 2r + c + 3 - 1.
  EXPECT_EQ(version_1_cycles(layer, {3, 2, Dataflow::kInputStationary}), (10 + 6) + (10 + 6));
}

TEST(Version1Cycles, StandShortWindowsOnTopOfEachOther) {
  // Two windows of 4 fit 8 rows; 3 filters on 2 columns need both: 2 * 4 + 4 + 2 + 4.
  const TopologyLayer layer{3, 3, 2, 2, 1, 3, 1, 1};
  EXPECT_EQ(version_1_cycles(layer, {8, 2, Dataflow::kWeightStationary}), 18);
}

}  // namespace
}  // namespace cleave::cost
