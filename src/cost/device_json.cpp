#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>

#include "core/error.h"
#include "core/text.h"
#include "cost/device.h"
#include "cost/models.h"
#include "cost/quantity.h"

namespace cleave::cost {

namespace {

constexpr std::int64_t kLargestArray = 65536;
constexpr const char* kPerSecond = "Give the rate in units per second, such as 1e9.";
constexpr const char* kBandwidth = "Give the memory bandwidth in bytes per second, such as 1e9.";
constexpr const char* kClock = "Give the clock in hertz, such as 2e8.";
constexpr const char* kOverhead = "Give the fixed time of one unit in seconds, or leave the key out.";

/// A word of a file and what it means.
template <typename T>
struct Word {
  const char* text;
  T meaning;
};

template <typename T, std::size_t N>
T choose(const JsonReader& reader, const std::string& key, const std::string& found,
         const std::array<Word<T>, N>& words) {
  std::vector<std::string> names;
  for (const Word<T>& word : words) {
    if (found == word.text) return word.meaning;
    names.emplace_back(word.text);
  }
  throw Error(ErrorKind::kInvalidInput,
              reader.path_of(key) + ": unknown value '" + found + "'" + did_you_mean(found, names),
              "It is one of " + join_text(names, ", ") + ".");
}

UnitModel read_unit(JsonReader& reader) {
  UnitModel model;
  model.s_per_mac = non_negative_or(reader, "s_per_mac", 1, "Give the seconds of one multiply-accumulate.");
  model.s_per_byte = non_negative_or(reader, "s_per_byte", 1, "Give the seconds of one byte.");
  return model;
}

RooflineModel read_roofline(JsonReader& reader) {
  RooflineModel model;
  model.macs_per_s = positive(reader, "macs_per_s", kPerSecond);
  model.float_macs_per_s = positive_or(reader, "float_macs_per_s", 0, "Leave it out for a quarter of macs_per_s.");
  model.vector_ops_per_s = positive(reader, "vector_ops_per_s", kPerSecond);
  model.bytes_per_s = positive(reader, "bytes_per_s", kBandwidth);
  model.overhead_s = non_negative_or(reader, "overhead_s", 0, kOverhead);
  return model;
}

std::int64_t read_sram_bytes(JsonReader& reader, const std::string& key) {
  const std::int64_t bytes = count_in(reader, key, std::int64_t{1} << 40, "Give the bytes of the buffer.");
  if (bytes >= SramSizes::kLeastBytes) return bytes;
  throw Error(ErrorKind::kInvalidInput,
              reader.path_of(key) + ": must be at least " + std::to_string(SramSizes::kLeastBytes) + ", found " +
                  std::to_string(bytes),
              "Give the bytes of the buffer, or leave 'sram' out: everything moves once.");
}

std::optional<SramSizes> read_sram(JsonReader& reader) {
  reader.ignore("sram");
  if (!reader.has("sram")) return std::nullopt;
  JsonReader sram = reader.object("sram");
  const SramSizes sizes{read_sram_bytes(sram, "ifmap_bytes"), read_sram_bytes(sram, "filter_bytes")};
  sram.finish();
  return sizes;
}

SystolicModel read_systolic(JsonReader& reader) {
  static constexpr std::array<Word<Dataflow>, 3> kDataflows{
      {{"ws", Dataflow::kWeightStationary}, {"os", Dataflow::kOutputStationary}, {"is", Dataflow::kInputStationary}}};
  static constexpr std::array<Word<GroupMapping>, 2> kGroups{
      {{"one_by_one", GroupMapping::kOneByOne}, {"packed", GroupMapping::kPacked}}};
  SystolicModel model;
  model.rows = count_in(reader, "rows", kLargestArray, "Give the rows of the array of multipliers.");
  model.columns = count_in(reader, "columns", kLargestArray, "Give the columns of the array of multipliers.");
  model.dataflow = choose(reader, "dataflow", reader.text("dataflow"), kDataflows);
  model.groups = choose(reader, "groups", reader.text_or("groups", "one_by_one"), kGroups);
  model.clock_hz = positive(reader, "clock_hz", kClock);
  model.bytes_per_s = positive(reader, "bytes_per_s", kBandwidth);
  model.vector_ops_per_s = positive(reader, "vector_ops_per_s", kPerSecond);
  model.overhead_s = non_negative_or(reader, "overhead_s", 0, kOverhead);
  model.sram = read_sram(reader);
  return model;
}

/// "W8A8" has two widths of 1 to 32 bits.
bool is_bits_key(const std::string& key) {
  const std::size_t a = key.find('A');
  if (key.empty() || key[0] != 'W' || a == std::string::npos) return false;
  const auto weight = parse_integer(key.substr(1, a - 1));
  const auto activation = parse_integer(key.substr(a + 1));
  if (!weight || !activation || *weight < 1 || *weight > 32 || *activation < 1 || *activation > 32) return false;
  return bits_key({static_cast<int>(*weight)}, {static_cast<int>(*activation)}) == key;
}

std::map<std::string, double> read_row(JsonReader& row) {
  std::map<std::string, double> seconds;
  for (const auto& entry : row.json().items()) {
    if (!is_bits_key(entry.key())) {
      throw Error(ErrorKind::kInvalidInput, row.path_of(entry.key()) + ": not a pair of bit-widths",
                  "Write W<weight bits>A<activation bits>, such as W8A8; each 1 to 32.");
    }
    seconds[entry.key()] = non_negative_or(row, entry.key(), 0, "Give measured seconds.");
  }
  return seconds;
}

TableModel read_table(JsonReader& reader) {
  TableModel model;
  JsonReader units = reader.object("unit_s");
  for (const auto& entry : units.json().items()) {
    JsonReader row = units.object(entry.key());
    model.unit_s[entry.key()] = read_row(row);
  }
  return model;
}

TileModel read_tile(JsonReader& reader) {
  TileModel model;
  model.tile_height =
      count_in(reader, "tile_height", kLargestArray, "Give the input values of a tile along the last axis.");
  model.tile_width =
      count_in(reader, "tile_width", kLargestArray, "Give the input values of a tile along the axis before the last.");
  model.tile_channels = count_in(reader, "tile_channels", kLargestArray, "Give the input channels of a tile.");
  model.filters = count_in(reader, "filters", kLargestArray, "Give the output channels that are computed at once.");
  model.adders = count_in(reader, "adders", kLargestArray, "Give the partial sums that are added in a cycle.");
  model.dma_cycles_per_byte =
      positive(reader, "dma_cycles_per_byte", "Give the clock over the memory bandwidth, such as 0.2.");
  model.clock_hz = positive(reader, "clock_hz", kClock);
  return model;
}

LatencyModel read_model(JsonReader& reader) {
  static constexpr std::array<Word<LatencyModel (*)(JsonReader&)>, 5> kModels{{
      {"unit", [](JsonReader& r) { return LatencyModel(read_unit(r)); }},
      {"roofline", [](JsonReader& r) { return LatencyModel(read_roofline(r)); }},
      {"systolic", [](JsonReader& r) { return LatencyModel(read_systolic(r)); }},
      {"table", [](JsonReader& r) { return LatencyModel(read_table(r)); }},
      {"tile-hwcf", [](JsonReader& r) { return LatencyModel(read_tile(r)); }},
  }};
  const auto read = choose(reader, "kind", reader.text("kind"), kModels);
  LatencyModel model = read(reader);
  reader.finish();
  return model;
}

/// The tile model has a rule of its own for widths.
ComputeScaling read_scaling(JsonReader& reader, const LatencyModel& model) {
  static constexpr std::array<Word<ComputeScaling>, 3> kScalings{{{"none", ComputeScaling::kNone},
                                                                  {"bit_fusion", ComputeScaling::kBitFusion},
                                                                  {"tensor_core", ComputeScaling::kTensorCore}}};
  const std::string found = reader.text_or("compute_scaling", "none");
  const ComputeScaling scaling = choose(reader, "compute_scaling", found, kScalings);
  if (std::holds_alternative<TileModel>(model) && scaling != ComputeScaling::kNone) {
    throw Error(ErrorKind::kInvalidInput,
                reader.path_of("compute_scaling") + ": a tile-hwcf device takes no '" + found + "'",
                "Leave the key out: the model passes once per 8 activation bits.");
  }
  return scaling;
}

quant::Bits read_float_bits(JsonReader& reader) {
  const std::int64_t bits = reader.integer_or("float_bits", 32);
  if (bits != 16 && bits != 32) {
    throw Error(ErrorKind::kInvalidInput,
                reader.path_of("float_bits") + ": must be 16 or 32, found " + std::to_string(bits),
                "Give the width of the floating-point numbers that the device computes with.");
  }
  return {static_cast<int>(bits)};
}

std::optional<std::int64_t> read_memory(JsonReader& reader) {
  reader.ignore("memory_bytes");
  if (!reader.has("memory_bytes")) return std::nullopt;
  return count_in(reader, "memory_bytes", std::int64_t{1} << 50,
                  "Give the bytes for weights and activations, or leave the key out for no limit.");
}

std::vector<std::string> read_operators(JsonReader& reader) {
  reader.ignore("operators");
  if (!reader.has("operators")) return {};
  std::vector<std::string> operators = reader.texts("operators");
  if (operators.empty()) {
    throw Error(ErrorKind::kInvalidInput, reader.path_of("operators") + ": an empty list can run nothing",
                "Name ONNX operators, such as Conv, or leave the key out for all.");
  }
  return operators;
}

}  // namespace

Device Device::from_json(const Json& json, const std::string& origin) {
  JsonReader reader(json, origin);
  reader.require_schema("device");
  Device device;
  device.name = reader.text("name");
  JsonReader model = reader.object("model");
  device.model = read_model(model);
  device.scaling = read_scaling(reader, device.model);
  device.memory_bytes = read_memory(reader);
  device.float_bits = read_float_bits(reader);
  device.operators = read_operators(reader);
  check_provenance(reader);
  reader.finish();
  device.fingerprint = json_fingerprint(json);
  return device;
}

}  // namespace cleave::cost
