#include "cost/tile_hwcf.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "networks.h"
#include "support/error_kind.h"

namespace cleave::cost {
namespace {

using quant::Bits;
using testing::Integers;
using testing::OneUnit;

/// Tiles of 4 x 3 values and 2 channels, 2 filters at once, 2 partial sums per cycle; 2 cycles per byte, 10 Hz.
TileModel tiles() {
  TileModel model;
  model.tile_height = 4;
  model.tile_width = 3;
  model.tile_channels = 2;
  model.filters = 2;
  model.adders = 2;
  model.dma_cycles_per_byte = 2;
  model.clock_hz = 10;
  return model;
}

double cycles(const UnitWork& work, int weight, int activation) {
  return tile_counts(tiles(), work, Bits{weight}, Bits{activation}).cycles;
}

UnitWork convolution(const Shape& in, const Shape& weight, const Shape& out, std::int64_t groups = 1,
                     std::int64_t stride = 1) {
  OneUnit net;
  net.node("Conv", {net.input("x", in), net.weight("w", weight)}, out,
           {{"group", groups}, {"strides", Integers{stride, stride}}});
  return net.work();
}

TEST(TileCounts, AddUpOneTileByHand) {
  // 1 x 2 x 3 x 4 values in one tile, 3 filters of 2 x 2 x 2: weights 2 * 24 bytes = 48 cycles; windows of a tile:
  // 4 - 2 + 1 = 3 along the last axis; compute ceil(3/2) * 3 = 6, transfer 2 * 24 = 48.
  const UnitWork work = convolution({1, 2, 3, 4}, {3, 2, 2, 2}, {1, 3, 2, 3});
  EXPECT_EQ(cycles(work, 8, 8), 48 + 48);
  EXPECT_EQ(cycles(work, 4, 8), 24 + 48);
  EXPECT_EQ(cycles(work, 8, 1), 48 + 6);
  EXPECT_EQ(cycles(work, 16, 16), 96 + 96);
  const TileCounts counts = tile_counts(tiles(), work, Bits{8}, Bits{8});
  EXPECT_EQ(counts.compute_cycles, 6);
  EXPECT_EQ(counts.transfer_bound, 2);
  EXPECT_EQ(counts.compute_bound, 0);
  EXPECT_EQ(counts.input_bytes, 24);
  EXPECT_EQ(counts.weight_bytes, 24);
  EXPECT_EQ(counts.output_bytes, 3 * 3 * 2);
  EXPECT_EQ(counts.multipliers, 2 * 2 * 2);
}

TEST(TileCounts, BeginLaterTilesOneOverlapEarlierAndAddPartialSums) {
  // 3 channels: blocks of 2 and 1. Last axis 6: tiles at 0 (4 values, 3 windows) and 4, begun at 3 (3 values, 2
  // windows). Axis before, 3 values: one tile of 2 windows. One filter of 2 x 2, at 1 bit so that compute decides:
  // first block 3, 2; second block 3 + 2 * ceil(3/2) = 7, 2 + 2 * ceil(2/2) = 4. Weights 2 * 12 / 8 = 3.
  const UnitWork work = convolution({1, 3, 3, 6}, {1, 3, 2, 2}, {1, 1, 2, 5});
  EXPECT_EQ(tile_counts(tiles(), work, Bits{1}, Bits{1}).compute_cycles, 3 + 2 + 7 + 4);
  // Transfers at 1 bit: 2 * 2 * 12 / 8 = 6, 4.5 of the first block; 3, 2.25 of the second.
  EXPECT_EQ(cycles(work, 1, 1), 3 + 6 + 4.5 + 7 + 4);
}

TEST(TileCounts, CountWindowsDownATileByTheirQuotientAlone) {
  // Kernel 3, stride 2, 4 values: 4 - ceil(3/2) + 1 = 3 windows where there are really 1.
  const UnitWork work = convolution({1, 1 + 1, 3, 4}, {2, 2, 3, 3}, {1, 2, 1, 1}, 1, 2);
  EXPECT_EQ(tile_counts(tiles(), work, Bits{8}, Bits{8}).compute_cycles, 3);
}

TEST(TileCounts, ChargeGroupsAsADenseConvolution) {
  const UnitWork dense = convolution({1, 4, 3, 4}, {4, 4, 2, 2}, {1, 4, 2, 3});
  const UnitWork grouped = convolution({1, 4, 3, 4}, {4, 2, 2, 2}, {1, 4, 2, 3}, 2);
  EXPECT_EQ(cycles(grouped, 8, 8), cycles(dense, 8, 8));
}

TEST(TileCounts, OfDepthwiseForgetTheCyclesOfAByte) {
  // Two channels, one tile of 24 values: weights 2 * 8 = 16 cycles, then max(24 bytes, 3 windows).
  const UnitWork work = convolution({1, 2, 3, 4}, {2, 1, 2, 2}, {1, 2, 2, 3}, 2);
  EXPECT_EQ(cycles(work, 8, 8), 16 + 24);
  EXPECT_EQ(cycles(work, 8, 1), 16 + 3);
  EXPECT_EQ(cycles(work, 8, 16), 16 + 48);
  EXPECT_EQ(tile_counts(tiles(), work, Bits{8}, Bits{8}).multipliers, 2 * 2);
}

TEST(TileCounts, LoadTheWeightsOfABatchOnce) {
  const UnitWork work = convolution({3, 2, 3, 4}, {3, 2, 2, 2}, {3, 3, 2, 3});
  EXPECT_EQ(cycles(work, 8, 8), 48 + 3 * 48);
}

TEST(TileCounts, OfATransposedConvolutionHaveStrideOne) {
  OneUnit net;
  net.node("ConvTranspose", {net.input("x", {1, 2, 3, 4}), net.weight("w", {2, 3, 2, 2})}, {1, 3, 6, 8},
           {{"strides", Integers{2, 2}}});
  EXPECT_EQ(cycles(net.work(), 8, 8), 48 + 48);
}

TEST(TileModel, PricesNothingButConvolutions) {
  Device device;
  device.model = tiles();
  OneUnit gemm;
  gemm.node("Gemm", {gemm.input("x", {1, 16}), gemm.weight("w", {16, 10})}, {1, 10});
  OneUnit pool;
  pool.node("MaxPool", {pool.input("x", {1, 1, 4, 4})}, {1, 1, 2, 2}, {{"kernel_shape", Integers{2, 2}}});
  EXPECT_EQ(unit_seconds(device, "unit", gemm.work(), Bits{8}, Bits{8}), 0);
  EXPECT_EQ(unit_seconds(device, "unit", pool.work(), Bits{8}, Bits{8}), 0);
  const UnitWork work = convolution({1, 2, 3, 4}, {3, 2, 2, 2}, {1, 3, 2, 3});
  EXPECT_EQ(unit_seconds(device, "unit", work, Bits{8}, Bits{8}), 9.6);
}

TEST(TileModel, RefusesMoreTilesThanItCanCount) {
  const std::int64_t side = std::int64_t{1} << 20;
  const UnitWork work = convolution({1, 1, side, side}, {1, 1, 1, 1}, {1, 1, side, side});
  EXPECT_EQ(cleave::testing::kind_of([&] { cycles(work, 8, 8); }), ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace cleave::cost
