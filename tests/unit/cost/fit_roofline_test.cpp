#include "cost/fit_roofline.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cost/device_file.h"
#include "support/error_kind.h"

namespace cleave::cost {
namespace {

constexpr RooflineModel kTruth{400e9, 100e9, 5e9, 20e9, 3e-6};

MeasuredUnits unit(UnitWork work, int bits) {
  MeasuredUnits group{{"u"}, {std::move(work)}, {bits}, 0};
  group.seconds = predicted_seconds(kTruth, group);
  return group;
}

UnitWork convolution(std::int64_t macs, std::int64_t elements) {
  UnitWork work;
  work.op = "Conv";
  work.is_convolution = true;
  work.macs = macs;
  work.weight_elements = elements / 4;
  work.input_elements = elements / 2;
  work.output_elements = elements / 4;
  return work;
}

UnitWork addition(std::int64_t elements, std::int64_t ops_per_element) {
  UnitWork work;
  work.op = "Add";
  work.vector_ops = ops_per_element * elements;
  work.input_elements = 2 * elements;
  work.output_elements = elements;
  return work;
}

/// Times as the model itself gives them: bound by each of its five parameters in turn.
std::vector<MeasuredUnits> exact_units() {
  std::vector<MeasuredUnits> units;
  for (const int bits : {8, 32}) {
    for (std::int64_t size = 1; size <= 64; size *= 2) {
      units.push_back(unit(convolution(size * 5'000'000, 4000), bits));
      units.push_back(unit(convolution(1000, size * 400'000), bits));
      units.push_back(unit(addition(size * 1000, 50), bits));
      units.push_back(unit(addition(16, 1), bits));
    }
  }
  return units;
}

void expect_near_truth(const RooflineModel& model, double ratio) {
  EXPECT_NEAR(std::log(model.macs_per_s / kTruth.macs_per_s), 0, ratio);
  EXPECT_NEAR(std::log(model.float_macs_per_s / kTruth.float_macs_per_s), 0, ratio);
  EXPECT_NEAR(std::log(model.vector_ops_per_s / kTruth.vector_ops_per_s), 0, ratio);
  EXPECT_NEAR(std::log(model.bytes_per_s / kTruth.bytes_per_s), 0, ratio);
  EXPECT_NEAR(std::log(model.overhead_s / kTruth.overhead_s), 0, ratio);
}

TEST(FitRoofline, FindsTheModelThatMadeTheTimes) {
  const RooflineFit fit = fit_roofline(exact_units());
  expect_near_truth(fit.model, 0.02);
  EXPECT_LT(fit.median_relative_error, 0.01);
  EXPECT_LT(fit.op_error.at("Add"), 0.01);
}

TEST(FitRoofline, IsNotBentByAFewUnitsThatTakeMuchLonger) {
  std::vector<MeasuredUnits> units = exact_units();
  for (std::size_t i = 0; i < units.size(); i += 10) units[i].seconds *= 5;
  const RooflineFit fit = fit_roofline(units);
  expect_near_truth(fit.model, 0.15);
  EXPECT_LT(fit.median_relative_error, 0.05);
}

TEST(FitRoofline, KeepsARateThatNoUnitNeedsWithinWhatADeviceFileHolds) {
  // Additions that take less the more they read: every higher bandwidth fits them better.
  std::vector<MeasuredUnits> units{unit(convolution(5'000'000, 4), 32), unit(convolution(10'000'000, 4), 8)};
  for (std::int64_t size = 1; size <= 64; size *= 2) {
    units.push_back(unit(addition(size * 100'000'000, 1), 32));
    units.back().seconds = 1e-21;
  }
  const RooflineModel model = fit_roofline(units).model;
  for (const double rate : {model.macs_per_s, model.float_macs_per_s, model.vector_ops_per_s, model.bytes_per_s}) {
    EXPECT_LE(rate, 1e15);
  }
  EXPECT_GE(model.overhead_s, 1e-15);
}

TEST(FitRoofline, PricesAGroupAsTheSumOfItsUnits) {
  const MeasuredUnits one = unit(convolution(5'000'000, 4000), 32);
  const MeasuredUnits other = unit(addition(1000, 1), 32);
  const MeasuredUnits both{{"a", "b"}, {one.work[0], other.work[0]}, {32}, 1};
  EXPECT_DOUBLE_EQ(predicted_seconds(kTruth, both), one.seconds + other.seconds);
}

TEST(FitRoofline, RefusesTimesWithoutMultiplications) {
  const std::vector<MeasuredUnits> units = {unit(addition(1000, 1), 32)};
  EXPECT_EQ(cleave::testing::kind_of([&] { fit_roofline(units); }), ErrorKind::kInvalidInput);
}

TEST(DeviceFile, IsReadBackAsItWasWritten) {
  const Provenance provenance{"a test", "exact", {"one", "two"}};
  const Device roofline = Device::from_json(device_file("mine", kTruth, provenance), "file");
  EXPECT_EQ(roofline.name, "mine");
  EXPECT_EQ(std::get<RooflineModel>(roofline.model).bytes_per_s, kTruth.bytes_per_s);
  EXPECT_EQ(std::get<RooflineModel>(roofline.model).overhead_s, kTruth.overhead_s);
  const TableModel table{{{"conv", {{"W8A8", 0.25}, {"W32A32", 0.5}}}}};
  const Device read = Device::from_json(device_file("mine", table, provenance), "file");
  EXPECT_EQ(std::get<TableModel>(read.model).unit_s, table.unit_s);
}

}  // namespace
}  // namespace cleave::cost
