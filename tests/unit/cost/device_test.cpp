#include "cost/device.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "networks.h"

namespace cleave::cost {
namespace {

using quant::Bits;
using testing::OneUnit;

/// 1x2x4x4 -> 3 channels, 1x1: 96 MACs, 6 weights, 32 inputs, 48 outputs.
UnitWork small_convolution() {
  OneUnit net;
  net.node("Conv", {net.input("x", {1, 2, 4, 4}), net.weight("w", {3, 2, 1, 1})}, {1, 3, 4, 4});
  return net.work();
}

/// 1x1x4x4 -> 2x2 windows of 2x2: 16 operations, 16 inputs, 4 outputs.
UnitWork small_pooling() {
  OneUnit net;
  net.node("MaxPool", {net.input("x", {1, 1, 4, 4})}, {1, 1, 2, 2},
           {{"kernel_shape", testing::Integers{2, 2}}, {"strides", testing::Integers{2, 2}}});
  return net.work();
}

Device device_of(LatencyModel model, ComputeScaling scaling = ComputeScaling::kNone) {
  Device device;
  device.name = "test";
  device.model = std::move(model);
  device.scaling = scaling;
  return device;
}

double seconds_of(const Device& device, const UnitWork& work, int weight, int activation) {
  return unit_seconds(device, "unit", work, Bits{weight}, Bits{activation}).value();
}

RooflineModel roofline() {
  RooflineModel model;
  model.macs_per_s = 16;
  model.float_macs_per_s = 2;
  model.vector_ops_per_s = 4;
  model.bytes_per_s = 1e9;
  model.overhead_s = 0.25;
  return model;
}

TEST(UnitDevice, TakesASecondPerMacAndAnotherPerPackedByte) {
  const Device device = device_of(UnitModel{});
  const UnitWork work = small_convolution();
  EXPECT_EQ(seconds_of(device, work, 8, 8), 96 + 6 + 32 + 48);
  EXPECT_EQ(seconds_of(device, work, 2, 4), 96 + 2 + 16 + 24);  // 12 bits of weights: two bytes
  EXPECT_EQ(seconds_of(device, work, 3, 2), 96 + 3 + 8 + 12);   // 18 bits: three bytes
  EXPECT_EQ(seconds_of(device, work, 32, 32), 96 + 24 + 128 + 192);
  EXPECT_EQ(seconds_of(device, small_pooling(), 8, 8), 16 + 4);
}

TEST(UnitDevice, WeighsMacsAndBytesAsTold) {
  EXPECT_EQ(seconds_of(device_of(UnitModel{0.5, 0}), small_convolution(), 8, 8), 48);
  EXPECT_EQ(seconds_of(device_of(UnitModel{0, 2}), small_convolution(), 8, 8), 2 * 86);
}

TEST(Roofline, IsBoundByComputeOrByTraffic) {
  RooflineModel model = roofline();
  EXPECT_DOUBLE_EQ(seconds_of(device_of(model), small_convolution(), 8, 8), 0.25 + 96.0 / 16);
  model.bytes_per_s = 2;
  EXPECT_DOUBLE_EQ(seconds_of(device_of(model), small_convolution(), 8, 8), 0.25 + 86.0 / 2);
  EXPECT_DOUBLE_EQ(seconds_of(device_of(roofline()), small_pooling(), 8, 8), 0.25 + 16.0 / 4);
}

TEST(Roofline, RunsFloatAtItsOwnRateAndNothingSlowerThanThat) {
  RooflineModel model = roofline();
  EXPECT_DOUBLE_EQ(seconds_of(device_of(model), small_convolution(), 32, 32), 0.25 + 96.0 / 2);
  EXPECT_DOUBLE_EQ(seconds_of(device_of(model), small_convolution(), 16, 16), 0.25 + 96.0 / 8);
  model.float_macs_per_s = 10;  // faster than two passes of 8 bits
  EXPECT_DOUBLE_EQ(seconds_of(device_of(model), small_convolution(), 16, 16), 0.25 + 96.0 / 10);
  model.float_macs_per_s = 0;  // a quarter of macs_per_s
  EXPECT_DOUBLE_EQ(seconds_of(device_of(model), small_convolution(), 32, 8), 0.25 + 96.0 / 4);
}

TEST(Roofline, SpeedsUpNarrowWidthsOnlyWhereTheDeviceDoes) {
  const UnitWork work = small_convolution();
  EXPECT_DOUBLE_EQ(seconds_of(device_of(roofline()), work, 2, 2), 0.25 + 6);
  EXPECT_DOUBLE_EQ(seconds_of(device_of(roofline(), ComputeScaling::kTensorCore), work, 4, 4), 0.25 + 3);
  EXPECT_DOUBLE_EQ(seconds_of(device_of(roofline(), ComputeScaling::kBitFusion), work, 2, 4), 0.25 + 6.0 / 8);
}

TEST(ComputePasses, FollowEachRuleOfTheTable) {
  struct Case {
    ComputeScaling scaling;
    int weight, activation;
    double passes;
  };
  const std::vector<Case> cases{{ComputeScaling::kNone, 2, 2, 1},
                                {ComputeScaling::kNone, 8, 8, 1},
                                {ComputeScaling::kNone, 8, 9, 2},
                                {ComputeScaling::kNone, 16, 16, 2},
                                {ComputeScaling::kNone, 32, 8, 4},
                                {ComputeScaling::kBitFusion, 8, 8, 1},
                                {ComputeScaling::kBitFusion, 8, 4, 0.5},
                                {ComputeScaling::kBitFusion, 4, 4, 0.25},
                                {ComputeScaling::kBitFusion, 8, 2, 0.25},
                                {ComputeScaling::kBitFusion, 4, 2, 0.125},
                                {ComputeScaling::kBitFusion, 2, 2, 1. / 16},
                                {ComputeScaling::kBitFusion, 1, 1, 1. / 16},
                                {ComputeScaling::kBitFusion, 3, 5, 0.5},
                                {ComputeScaling::kBitFusion, 16, 16, 4},
                                {ComputeScaling::kTensorCore, 4, 4, 0.5},
                                {ComputeScaling::kTensorCore, 2, 5, 1},
                                {ComputeScaling::kTensorCore, 16, 8, 2},
                                {ComputeScaling::kTensorCore, 32, 32, 4}};
  for (const Case& c : cases) {
    EXPECT_EQ(compute_passes(c.scaling, Bits{c.weight}, Bits{c.activation}), c.passes)
        << static_cast<int>(c.scaling) << " at W" << c.weight << "A" << c.activation;
  }
}

TEST(ComputePasses, OfAProductOfActivationsIgnoreTheWeightWidth) {
  OneUnit net;
  net.node("MatMul", {net.input("a", {1, 4, 4}), net.input("b", {1, 4, 4})}, {1, 4, 4});
  const UnitWork work = net.work();
  const Device device = device_of(roofline(), ComputeScaling::kBitFusion);
  EXPECT_DOUBLE_EQ(seconds_of(device, work, 0, 8), 0.25 + 64.0 / 16);
  EXPECT_DOUBLE_EQ(seconds_of(device, work, 0, 4), 0.25 + 64.0 / 64);
}

TEST(TableDevice, GivesBackWhatWasMeasured) {
  const Device device = device_of(TableModel{{{"unit", {{"W8A8", 0.5}, {"W4A8", 0.25}}}}});
  EXPECT_EQ(seconds_of(device, small_convolution(), 8, 8), 0.5);
  EXPECT_EQ(seconds_of(device, small_convolution(), 4, 8), 0.25);
}

TEST(TableDevice, NamesTheRowThatIsMissing) {
  const Device device = device_of(TableModel{{{"conv_1", {{"W8A8", 0.5}}}}});
  const auto message = [&](const std::string& unit, int bits) -> std::string {
    try {
      unit_seconds(device, unit, small_convolution(), Bits{bits}, Bits{bits});
      return "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
      EXPECT_FALSE(error.hint().empty());
      return error.what();
    }
  };
  EXPECT_EQ(message("conv_2", 8), "the device's table has no unit 'conv_2'; did you mean 'conv_1'?");
  EXPECT_EQ(message("conv_1", 4), "the device's table has no W4A4 for unit 'conv_1'; it has W8A8");
}

TEST(OperatorList, KeepsOtherUnitsOffTheDevice) {
  Device device = device_of(UnitModel{});
  device.operators = {"Conv"};
  EXPECT_TRUE(unit_seconds(device, "unit", small_convolution(), Bits{8}, Bits{8}).has_value());
  EXPECT_FALSE(unit_seconds(device, "unit", small_pooling(), Bits{8}, Bits{8}).has_value());
}

}  // namespace
}  // namespace cleave::cost
