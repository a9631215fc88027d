#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "cost/device.h"
#include "networks.h"

namespace cleave::cost {
namespace {

using quant::Bits;

/// A device whose every figure may be changed by the property.
struct Drawn {
  Device device;
  UnitWork work;
  int weight, activation;

  double seconds() const { return unit_seconds(device, "unit", work, Bits{weight}, Bits{activation}).value(); }
};

double rate() {
  return *rc::gen::inRange(1, 1'000'000) * 1e3;
}

SystolicModel draw_array() {
  SystolicModel model;
  model.rows = *rc::gen::inRange(1, 300);
  model.columns = *rc::gen::inRange(1, 300);
  model.dataflow =
      *rc::gen::element(Dataflow::kWeightStationary, Dataflow::kOutputStationary, Dataflow::kInputStationary);
  model.groups = *rc::gen::element(GroupMapping::kOneByOne, GroupMapping::kPacked);
  model.clock_hz = rate();
  model.bytes_per_s = rate();
  model.vector_ops_per_s = rate();
  model.overhead_s = 1e-5;
  if (*rc::gen::arbitrary<bool>()) {
    model.sram = SramSizes{*rc::gen::inRange<std::int64_t>(100, 3000), *rc::gen::inRange<std::int64_t>(100, 3000)};
  }
  return model;
}

RooflineModel draw_roofline() {
  RooflineModel model;
  model.macs_per_s = rate();
  model.float_macs_per_s = *rc::gen::element(0.0, rate());
  model.vector_ops_per_s = rate();
  model.bytes_per_s = rate();
  model.overhead_s = 1e-5;
  return model;
}

TileModel draw_tiles() {
  TileModel model;
  model.tile_height = *rc::gen::inRange(1, 10);
  model.tile_width = *rc::gen::inRange(1, 10);
  model.tile_channels = *rc::gen::inRange(1, 10);
  model.filters = *rc::gen::inRange(1, 10);
  model.adders = *rc::gen::inRange(1, 10);
  model.dma_cycles_per_byte = *rc::gen::inRange(1, 1000) * 1e-2;
  model.clock_hz = rate();
  return model;
}

void draw_model(Device& device) {
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      device.model.emplace<UnitModel>();
      break;
    case 1:
      device.model.emplace<RooflineModel>(draw_roofline());
      break;
    case 2:
      device.model.emplace<TileModel>(draw_tiles());
      break;
    default:
      device.model.emplace<SystolicModel>(draw_array());
      break;
  }
}

UnitWork draw_convolution() {
  const std::int64_t groups = *rc::gen::inRange<std::int64_t>(1, 5);
  const std::int64_t in = groups * *rc::gen::inRange<std::int64_t>(1, 9);
  const std::int64_t out = groups * *rc::gen::inRange<std::int64_t>(1, 9);
  const std::int64_t kernel = *rc::gen::inRange<std::int64_t>(1, 6);
  const std::int64_t size = kernel + *rc::gen::inRange<std::int64_t>(0, 20);
  testing::OneUnit net;
  net.node("Conv", {net.input("x", {1, in, size, size}), net.weight("w", {out, in / groups, kernel, kernel})},
           {1, out, size - kernel + 1, size - kernel + 1}, {{"group", groups}});
  return net.work();
}

UnitWork draw_work() {
  if (*rc::gen::inRange(0, 4) != 0) return draw_convolution();
  testing::OneUnit net;
  const std::int64_t elements = *rc::gen::inRange<std::int64_t>(1, 5000);
  net.node("Add", {net.input("a", {1, elements}), net.input("b", {1, elements})}, {1, elements});
  return net.work();
}

Drawn draw() {
  Drawn drawn;
  draw_model(drawn.device);
  drawn.device.scaling =
      *rc::gen::element(ComputeScaling::kNone, ComputeScaling::kBitFusion, ComputeScaling::kTensorCore);
  drawn.work = draw_work();
  drawn.weight = *rc::gen::inRange(1, 17);
  drawn.activation = *rc::gen::inRange(1, 17);
  return drawn;
}

int wider(int bits) {
  return *rc::gen::element(bits, bits + 1, 16, 32);
}

TEST(Latency, NeverFallsWithMoreBits) {
  EXPECT_TRUE(rc::check("more bits are no faster", [] {
    Drawn drawn = draw();
    const double narrow_s = drawn.seconds();
    drawn.weight = std::max(drawn.weight, wider(drawn.weight));
    drawn.activation = std::max(drawn.activation, wider(drawn.activation));
    RC_ASSERT(drawn.seconds() >= narrow_s);
  }));
}

TEST(Latency, NeverRisesWithMoreBandwidth) {
  EXPECT_TRUE(rc::check("more bandwidth is no slower", [] {
    Drawn drawn = draw();
    const double slow_s = drawn.seconds();
    const double factor = *rc::gen::inRange(1, 50);
    if (auto* roofline = std::get_if<RooflineModel>(&drawn.device.model)) roofline->bytes_per_s *= factor;
    if (auto* array = std::get_if<SystolicModel>(&drawn.device.model)) array->bytes_per_s *= factor;
    if (auto* tiles = std::get_if<TileModel>(&drawn.device.model)) tiles->dma_cycles_per_byte /= factor;
    if (auto* unit = std::get_if<UnitModel>(&drawn.device.model)) unit->s_per_byte /= factor;
    RC_ASSERT(drawn.seconds() <= slow_s);
  }));
}

TEST(Latency, DoesNotDependOnMemory) {
  EXPECT_TRUE(rc::check("memory is a limit, not a speed", [] {
    Drawn drawn = draw();
    const double unlimited_s = drawn.seconds();
    drawn.device.memory_bytes = *rc::gen::inRange<std::int64_t>(1, 1 << 30);
    RC_ASSERT(drawn.seconds() == unlimited_s);
  }));
}

TEST(Latency, OfPackedGroupsIsNeverAboveOneByOne) {
  EXPECT_TRUE(rc::check("packing helps or does nothing", [] {
    Drawn drawn = draw();
    SystolicModel array = draw_array();
    array.groups = GroupMapping::kOneByOne;
    drawn.device.model = array;
    const double one_by_one_s = drawn.seconds();
    array.groups = GroupMapping::kPacked;
    drawn.device.model = array;
    RC_ASSERT(drawn.seconds() <= one_by_one_s);
  }));
}

TEST(Latency, OfAnArrayIsNeverBelowItsPeak) {
  EXPECT_TRUE(rc::check("no array does more than rows * columns MACs per cycle", [] {
    Drawn drawn = draw();
    const SystolicModel array = draw_array();
    drawn.device.model = array;
    drawn.device.scaling = ComputeScaling::kNone;
    const double peak = static_cast<double>(array.rows * array.columns) * array.clock_hz;
    RC_ASSERT(drawn.seconds() >= static_cast<double>(drawn.work.macs) / peak);
  }));
}

}  // namespace
}  // namespace cleave::cost
