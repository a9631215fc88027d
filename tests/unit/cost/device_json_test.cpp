#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "cost/device.h"

namespace cleave::cost {
namespace {

Json systolic_file() {
  return Json::parse(R"({
    "schema": "cleave.device/1", "name": "array",
    "model": {"kind": "systolic", "rows": 12, "columns": 14, "dataflow": "os", "clock_hz": 2e8, "bytes_per_s": 1e9,
              "vector_ops_per_s": 3e9, "overhead_s": 1e-5, "groups": "packed"},
    "compute_scaling": "bit_fusion", "memory_bytes": 4096, "float_bits": 16, "operators": ["Conv", "Relu"],
    "provenance": {"source": "a test", "confidence": "exact", "notes": ["one"]}})");
}

Json roofline_file() {
  return Json::parse(R"({
    "schema": "cleave.device/1", "name": "roof",
    "model": {"kind": "roofline", "macs_per_s": 1e9, "vector_ops_per_s": 2e9, "bytes_per_s": 3e9}})");
}

Json table_file() {
  return Json::parse(R"({
    "schema": "cleave.device/1", "name": "measured",
    "model": {"kind": "table", "unit_s": {"conv": {"W8A8": 0.5, "W4A8": 0}}}})");
}

Json tile_file() {
  return Json::parse(R"({
    "schema": "cleave.device/1", "name": "tiles",
    "model": {"kind": "tile-hwcf", "tile_height": 7, "tile_width": 4, "tile_channels": 12, "filters": 6, "adders": 5,
              "dma_cycles_per_byte": 0.25, "clock_hz": 2e8}})");
}

/// What the file at `pointer` with `value` is answered: "message | hint".
std::string answer(Json file, const std::string& pointer, const Json& value) {
  file[Json::json_pointer(pointer)] = value;
  try {
    Device::from_json(file, "d.json");
    return "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    return std::string(error.what()) + " | " + error.hint();
  }
}

TEST(DeviceFile, IsReadCompletely) {
  const Device device = Device::from_json(systolic_file(), "d.json");
  EXPECT_EQ(device.name, "array");
  EXPECT_EQ(device.scaling, ComputeScaling::kBitFusion);
  EXPECT_EQ(device.memory_bytes, 4096);
  EXPECT_EQ(device.float_bits.count, 16);
  EXPECT_EQ(device.operators, (std::vector<std::string>{"Conv", "Relu"}));
  const auto& model = std::get<SystolicModel>(device.model);
  EXPECT_EQ(model.rows, 12);
  EXPECT_EQ(model.columns, 14);
  EXPECT_EQ(model.dataflow, Dataflow::kOutputStationary);
  EXPECT_EQ(model.groups, GroupMapping::kPacked);
  EXPECT_EQ(model.clock_hz, 2e8);
  EXPECT_EQ(model.bytes_per_s, 1e9);
  EXPECT_EQ(model.vector_ops_per_s, 3e9);
  EXPECT_EQ(model.overhead_s, 1e-5);
}

TEST(DeviceFile, HasDefaultsForWhatMayBeLeftOut) {
  const Device device = Device::from_json(roofline_file(), "d.json");
  EXPECT_EQ(device.scaling, ComputeScaling::kNone);
  EXPECT_FALSE(device.memory_bytes.has_value());
  EXPECT_EQ(device.float_bits.count, 32);
  EXPECT_TRUE(device.operators.empty());
  EXPECT_EQ(std::get<RooflineModel>(device.model).float_macs_per_s, 0);
  EXPECT_EQ(std::get<RooflineModel>(device.model).overhead_s, 0);
}

TEST(DeviceFile, MayBeATableOfMeasuredSeconds) {
  const Device device = Device::from_json(table_file(), "d.json");
  EXPECT_EQ(std::get<TableModel>(device.model).unit_s.at("conv").at("W8A8"), 0.5);
}

TEST(DeviceFile, MayGiveAnArrayReadBuffers) {
  Json file = systolic_file();
  EXPECT_FALSE(std::get<SystolicModel>(Device::from_json(file, "d.json").model).sram.has_value());
  file["model"]["sram"] = {{"ifmap_bytes", 36864}, {"filter_bytes", 4096}};
  const Device device = Device::from_json(file, "d.json");
  const SramSizes sram = std::get<SystolicModel>(device.model).sram.value();
  EXPECT_EQ(sram.ifmap_bytes, 36864);
  EXPECT_EQ(sram.filter_bytes, 4096);
  EXPECT_EQ(answer(file, "/model/sram/ifmap_byte", 1),
            "d.json: model: sram: unknown key 'ifmap_byte'; did you mean 'ifmap_bytes'? | ");
  EXPECT_EQ(
      answer(file, "/model/sram/filter_bytes", 99),
      "d.json: model: sram: filter_bytes: must be at least 100, found 99 | Give the bytes of the buffer, or leave "
      "'sram' out: everything moves once.");
  EXPECT_EQ(answer(file, "/model/sram/filter_bytes", 0),
            "d.json: model: sram: filter_bytes: must be from 1 to 1 099 511 627 776, found 0 | Give the bytes of the "
            "buffer.");
}

TEST(DeviceFile, MayBeAScheduleOfTiles) {
  const Device device = Device::from_json(tile_file(), "d.json");
  const auto& model = std::get<TileModel>(device.model);
  EXPECT_EQ(model.tile_height, 7);
  EXPECT_EQ(model.tile_width, 4);
  EXPECT_EQ(model.tile_channels, 12);
  EXPECT_EQ(model.filters, 6);
  EXPECT_EQ(model.adders, 5);
  EXPECT_EQ(model.dma_cycles_per_byte, 0.25);
  EXPECT_EQ(model.clock_hz, 2e8);
}

TEST(DeviceFile, OfTilesIsCheckedLikeTheOthers) {
  EXPECT_EQ(answer(tile_file(), "/model/tile_hight", 5),
            "d.json: model: unknown key 'tile_hight'; did you mean 'tile_height'? | ");
  EXPECT_EQ(answer(tile_file(), "/model/filters", 0),
            "d.json: model: filters: must be from 1 to 65 536, found 0 | Give the output channels that are computed at "
            "once.");
  EXPECT_EQ(answer(tile_file(), "/model/dma_cycles_per_byte", -1),
            "d.json: model: dma_cycles_per_byte: must be greater than 0, found -1.0 | Give the clock over the memory "
            "bandwidth, such as 0.2.");
  EXPECT_EQ(answer(tile_file(), "/compute_scaling", "bit_fusion"),
            "d.json: compute_scaling: a tile-hwcf device takes no 'bit_fusion' | Leave the key out: the model passes "
            "once per 8 activation bits.");
  EXPECT_EQ(answer(tile_file(), "/compute_scaling", "none"), "accepted");
}

TEST(DeviceFile, HasAFingerprintOfItsContent) {
  Json other = systolic_file();
  other["model"]["rows"] = 13;
  const std::string fingerprint = Device::from_json(systolic_file(), "a").fingerprint;
  EXPECT_EQ(fingerprint.size(), 64U);
  EXPECT_EQ(fingerprint, Device::from_json(systolic_file(), "b").fingerprint);
  EXPECT_NE(fingerprint, Device::from_json(other, "a").fingerprint);
}

TEST(DeviceFile, WithAnUnknownKeyIsAnsweredWithTheNearestOne) {
  EXPECT_EQ(answer(roofline_file(), "/memory_byte", 5),
            "d.json: unknown key 'memory_byte'; did you mean 'memory_bytes'? | ");
  EXPECT_EQ(answer(roofline_file(), "/model/overheads", 5),
            "d.json: model: unknown key 'overheads'; did you mean 'overhead_s'? | ");
  EXPECT_EQ(answer(systolic_file(), "/provenance/author", "x"), "d.json: provenance: unknown key 'author' | ");
}

TEST(DeviceFile, WithAMisspeltRequiredKeyIsAnsweredWithTheRightOne) {
  Json file = roofline_file();
  file["model"].erase("macs_per_s");
  EXPECT_EQ(answer(file, "/model/mac_per_s", 5),
            "d.json: model: unknown key 'mac_per_s'; did you mean 'macs_per_s'? | Give the rate in units per second, "
            "such as 1e9.");
  EXPECT_EQ(answer(file, "/model/overhead_s", 0),
            "d.json: model: key 'macs_per_s' is missing | Give the rate in units per second, such as 1e9.");
}

TEST(DeviceFile, WithAQuantityThatIsNotPositiveIsRefusedWithPlaceAndWayOut) {
  const std::string rate = " | Give the rate in units per second, such as 1e9.";
  const std::string bandwidth = " | Give the memory bandwidth in bytes per second, such as 1e9.";
  EXPECT_EQ(answer(roofline_file(), "/model/macs_per_s", 0),
            "d.json: model: macs_per_s: must be greater than 0, found 0.0" + rate);
  EXPECT_EQ(answer(roofline_file(), "/model/vector_ops_per_s", -2.5),
            "d.json: model: vector_ops_per_s: must be greater than 0, found -2.5" + rate);
  EXPECT_EQ(answer(roofline_file(), "/model/bytes_per_s", -1),
            "d.json: model: bytes_per_s: must be greater than 0, found -1.0" + bandwidth);
  EXPECT_EQ(answer(roofline_file(), "/model/bytes_per_s", 1e-300),
            "d.json: model: bytes_per_s: must be at least 1e-18, found 1e-300" + bandwidth);
  EXPECT_EQ(answer(roofline_file(), "/model/bytes_per_s", 1e300),
            "d.json: model: bytes_per_s: must be at most 1e18, found 1e+300" + bandwidth);
  EXPECT_EQ(answer(roofline_file(), "/model/overhead_s", -1),
            "d.json: model: overhead_s: must be 0 or more, found -1.0 | Give the fixed time of one unit in seconds, or "
            "leave the key out.");
  EXPECT_EQ(answer(roofline_file(), "/model/float_macs_per_s", 0),
            "d.json: model: float_macs_per_s: must be greater than 0, found 0.0 | Leave it out for a quarter of "
            "macs_per_s.");
  EXPECT_EQ(answer(roofline_file(), "/memory_bytes", 0),
            "d.json: memory_bytes: must be from 1 to 1 125 899 906 842 624, found 0 | Give the bytes for weights and "
            "activations, or leave the key out for no limit.");
  EXPECT_EQ(answer(systolic_file(), "/model/rows", -12),
            "d.json: model: rows: must be from 1 to 65 536, found -12 | Give the rows of the array of multipliers.");
}

TEST(DeviceFile, WithANumberThatIsNoneIsRefused) {
  EXPECT_EQ(answer(roofline_file(), "/model/bytes_per_s", std::numeric_limits<double>::quiet_NaN()),
            "d.json: model: bytes_per_s: not a finite number | ");
  EXPECT_EQ(answer(roofline_file(), "/model/bytes_per_s", "fast"),
            "d.json: model: bytes_per_s: expected a number, found string | ");
  EXPECT_EQ(answer(systolic_file(), "/model/rows", 12.5),
            "d.json: model: rows: expected a whole number, found number | ");
}

TEST(DeviceFile, WithAnUnknownWordIsAnsweredWithTheList) {
  EXPECT_EQ(answer(roofline_file(), "/model/kind", "rofline"),
            "d.json: model: kind: unknown value 'rofline'; did you mean 'roofline'? | It is one of unit, roofline, "
            "systolic, table, tile-hwcf.");
  EXPECT_EQ(answer(systolic_file(), "/model/dataflow", "row"),
            "d.json: model: dataflow: unknown value 'row' | It is one of ws, os, is.");
  EXPECT_EQ(answer(systolic_file(), "/compute_scaling", "bitfusion"),
            "d.json: compute_scaling: unknown value 'bitfusion'; did you mean 'bit_fusion'? | It is one of none, "
            "bit_fusion, tensor_core.");
}

TEST(DeviceFile, WithOtherNonsenseIsRefused) {
  EXPECT_EQ(answer(roofline_file(), "/float_bits", 8),
            "d.json: float_bits: must be 16 or 32, found 8 | Give the width of the floating-point numbers that the "
            "device computes with.");
  EXPECT_EQ(
      answer(roofline_file(), "/operators", Json::array()),
      "d.json: operators: an empty list can run nothing | Name ONNX operators, such as Conv, or leave the key out "
      "for all.");
  EXPECT_EQ(answer(roofline_file(), "/schema", "cleave.link/1"),
            "d.json: schema is 'cleave.link/1', expected 'cleave.device/1' | ");
  EXPECT_EQ(
      answer(table_file(), "/model/unit_s/conv/8A8", 1),
      "d.json: model: unit_s: conv: 8A8: not a pair of bit-widths | Write W<weight bits>A<activation bits>, such as "
      "W8A8; each 1 to 32.");
  EXPECT_EQ(answer(table_file(), "/model/unit_s/conv/W8A8", -1),
            "d.json: model: unit_s: conv: W8A8: must be 0 or more, found -1.0 | Give measured seconds.");
  EXPECT_EQ(answer(table_file(), "/model/unit_s/conv", 3),
            "d.json: model: unit_s: conv: expected an object, found number | ");
}

TEST(DeviceFile, ThatIsNoObjectIsRefused) {
  EXPECT_THROW(Device::from_json(Json::array(), "d.json"), Error);
  EXPECT_THROW(Device::from_json(Json(nullptr), "d.json"), Error);
}

}  // namespace
}  // namespace cleave::cost
