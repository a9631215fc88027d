#include <gtest/gtest.h>

#include "cost/device.h"
#include "cost/scale_sim.h"
#include "networks.h"

namespace cleave::cost {
namespace {

using quant::Bits;
using testing::Integers;
using testing::OneUnit;

SystolicModel array(std::int64_t rows, std::int64_t columns) {
  SystolicModel model;
  model.rows = rows;
  model.columns = columns;
  model.clock_hz = 10;
  model.bytes_per_s = 1e9;
  model.vector_ops_per_s = 4;
  model.overhead_s = 0.5;
  return model;
}

double seconds_of(const SystolicModel& model, const UnitWork& work, int bits) {
  Device device;
  device.model = model;
  return unit_seconds(device, "unit", work, Bits{bits}, Bits{bits}).value();
}

/// P = 16, K = 18, N = 6.
UnitWork convolution() {
  OneUnit net;
  net.node("Conv", {net.input("x", {1, 2, 6, 6}), net.weight("w", {6, 2, 3, 3})}, {1, 6, 4, 4});
  return net.work();
}

/// Eight groups of P = 16, K = 4, N = 1.
UnitWork depthwise() {
  OneUnit net;
  net.node("Conv", {net.input("x", {1, 8, 5, 5}), net.weight("w", {8, 1, 2, 2})}, {1, 8, 4, 4},
           {{"group", std::int64_t{8}}});
  return net.work();
}

TEST(SystolicArray, PaysForEveryFoldInFull) {
  // 8 x 4, weight-stationary: ceil(18/8) * ceil(6/4) = 6 folds of 2*8 + 4 + 16 - 2 = 34 cycles.
  EXPECT_DOUBLE_EQ(seconds_of(array(8, 4), convolution(), 8), 0.5 + 6 * 34 / 10.0);
  SystolicModel model = array(8, 4);
  model.dataflow = Dataflow::kOutputStationary;  // ceil(16/8) * ceil(6/4) = 4 folds of 8 + 4 + 18 - 2 = 28
  EXPECT_DOUBLE_EQ(seconds_of(model, convolution(), 8), 0.5 + 4 * 28 / 10.0);
  model.dataflow = Dataflow::kInputStationary;  // ceil(18/8) * ceil(16/4) = 12 folds of 2*8 + 4 + 6 - 2 = 24
  EXPECT_DOUBLE_EQ(seconds_of(model, convolution(), 8), 0.5 + 12 * 24 / 10.0);
}

TEST(SystolicArray, TakesTwoPassesAtSixteenBitsAndOneBelowNine) {
  EXPECT_DOUBLE_EQ(seconds_of(array(8, 4), convolution(), 2), 0.5 + 20.4);
  EXPECT_DOUBLE_EQ(seconds_of(array(8, 4), convolution(), 16), 0.5 + 2 * 20.4);
}

TEST(SystolicArray, WaitsForMemoryWhenThatIsSlower) {
  SystolicModel model = array(8, 4);
  model.bytes_per_s = 1;  // 108 weights, 72 inputs, 96 outputs
  EXPECT_DOUBLE_EQ(seconds_of(model, convolution(), 8), 0.5 + 108 + 72 + 96);
  EXPECT_DOUBLE_EQ(seconds_of(model, convolution(), 4), 0.5 + 54 + 36 + 48);
}

TEST(SystolicArray, ReadsAgainWhatItsBuffersForgot) {
  // P = 16, K = 18, N = 6 on 8 x 4: 72 inputs and 108 weights, 96 outputs. Buffers of 200 bytes work on 100.
  SystolicModel model = array(8, 4);
  model.bytes_per_s = 1;
  model.sram = SramSizes{200, 200};
  EXPECT_DOUBLE_EQ(seconds_of(model, convolution(), 8), 0.5 + 72 + 108 + 96);
  // At 16 bits inputs no longer fit: two column folds of 288 accesses. Weights come once each, 216 bytes.
  const TopologyLayer layer{6, 6, 3, 3, 2, 6, 1, 1};
  const std::int64_t reads = dram_traffic(layer, {8, 4, model.dataflow}, 50, 50).ifmap_reads;
  EXPECT_GT(reads, 72);
  EXPECT_DOUBLE_EQ(seconds_of(model, convolution(), 16), 0.5 + 2.0 * static_cast<double>(reads) + 216 + 192);
  // Output-stationary: two column folds of 72 and 36 weights pass by two row folds; the buffer of 50 words holds the
  // second one: 4 of its words go when it fills up. 72 + 72 + 36 + (50 - 44) more.
  model.dataflow = Dataflow::kOutputStationary;
  const std::int64_t os_reads = dram_traffic(layer, {8, 4, model.dataflow}, 50, 50).ifmap_reads;
  EXPECT_DOUBLE_EQ(seconds_of(model, convolution(), 16),
                   0.5 + 2.0 * static_cast<double>(os_reads) + 2 * (72 + 72 + 36 + 6) + 192);
}

TEST(SystolicArray, ReadsTheRowsOfAProductOncePerColumnFold) {
  OneUnit net;
  net.node("Gemm", {net.input("x", {8, 20}), net.weight("w", {20, 6})}, {8, 6});
  SystolicModel model = array(8, 4);
  model.bytes_per_s = 1;
  model.sram = SramSizes{200, 200};
  EXPECT_DOUBLE_EQ(seconds_of(model, net.work(), 8), 0.5 + 2 * 160 + 120 + 48);
  EXPECT_DOUBLE_EQ(seconds_of(model, net.work(), 4), 0.5 + 80 + 60 + 24);
}

TEST(SystolicArray, RunsGroupsOneByOneUnlessTheyArePacked) {
  // One group on 8 x 4: one fold of 16 + 4 + 16 - 2 = 34 cycles; two groups fit along the diagonal (8/4 rows).
  EXPECT_DOUBLE_EQ(seconds_of(array(8, 4), depthwise(), 8), 0.5 + 8 * 34 / 10.0);
  SystolicModel model = array(8, 4);
  model.groups = GroupMapping::kPacked;
  EXPECT_DOUBLE_EQ(seconds_of(model, depthwise(), 8), 0.5 + 4 * 34 / 10.0);
  model.rows = 2;  // no group fits: two folds of 4 + 4 + 16 - 2 = 22 each
  EXPECT_DOUBLE_EQ(seconds_of(model, depthwise(), 8), 0.5 + 8 * 2 * 22 / 10.0);
}

TEST(SystolicArray, RunsUnitsWithoutMacsOnItsVectorUnit) {
  OneUnit net;
  net.node("MaxPool", {net.input("x", {1, 1, 4, 4})}, {1, 1, 2, 2}, {{"kernel_shape", Integers{2, 2}}});
  const UnitWork work = net.work();
  EXPECT_DOUBLE_EQ(seconds_of(array(8, 4), work, 8), 0.5 + 16 / 4.0);
  SystolicModel model = array(8, 4);
  model.bytes_per_s = 0.5;
  EXPECT_DOUBLE_EQ(seconds_of(model, work, 8), 0.5 + 20 / 0.5);
}

TEST(SystolicArray, HasNothingToDoForAnEmptyProduct) {
  OneUnit net;
  net.node("MatMul", {net.input("x", {0, 4}), net.weight("w", {4, 2})}, {0, 2});
  EXPECT_DOUBLE_EQ(seconds_of(array(8, 4), net.work(), 8), 0.5 + 8 / 1e9);
}

TEST(SystolicCounts, CountOneFoldByHand) {
  // P = 5, K = 3, N = 2 on 4 x 4, weight-stationary: 2*4 + 4 + 5 - 2 = 15 lines.
  const SystolicCounts counts = systolic_counts({5, 3, 2}, 4, 4, Dataflow::kWeightStationary);
  EXPECT_EQ(counts.total_cycles, 14);
  EXPECT_DOUBLE_EQ(counts.mapping_efficiency_percent, 100.0 * 6 / 16);
  EXPECT_DOUBLE_EQ(counts.utilisation_percent, 100.0 * 30 / (14 * 16));
  EXPECT_EQ(counts.sram_ifmap_reads, 15);
  EXPECT_EQ(counts.sram_filter_reads, 6);
  EXPECT_EQ(counts.sram_ofmap_writes, 10);
}

}  // namespace
}  // namespace cleave::cost
