#include <bit>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "core/fingerprint.h"
#include "core/json.h"
#include "tune/stored_hessians.h"

namespace cleave::tune {

namespace {

static_assert(std::endian::native == std::endian::little, "the sums are written as they lie in memory");

constexpr std::string_view kMagic = "cleave.hessians/1\n";
constexpr std::int64_t kMostGroups = 1 << 20;
constexpr std::int64_t kLargestExponent = 600;  // of products of two floats and their sums

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw Error(ErrorKind::kInvalidInput, where + ": " + what, "The file is damaged; collect the Hessians again.");
}

Json header(const StoredHessians& hessians, const std::string& payload_sha256) {
  Json json = make_document("hessians");
  json["graph"] = hessians.graph;
  json["calibration"] = hessians.calibration;
  json["images"] = hessians.images;
  json["shard"] = {{"count", hessians.shards.count}, {"indices", hessians.shards.indices}};
  json["sums_sha256"] = payload_sha256;
  json["units"] = Json::array();
  for (const auto& [name, unit] : hessians.units) {
    json["units"].push_back({{"unit", name},
                             {"groups", unit.groups},
                             {"inputs", unit.inputs},
                             {"columns", unit.columns},
                             {"exponent", unit.exponent}});
  }
  return json;
}

quant::Shards read_shards(JsonReader reader) {
  quant::Shards shards{reader.integer("count"), reader.integers("indices")};
  reader.finish();
  const auto& indices = shards.indices;
  bool good = !indices.empty() && indices.front() >= 0 && indices.back() < shards.count;
  for (std::size_t i = 1; i < indices.size(); ++i) good = good && indices[i - 1] < indices[i];
  if (shards.count > 1 && static_cast<std::int64_t>(indices.size()) == shards.count) good = false;
  if (!good) refuse(reader.path_of("indices"), "not an ascending list of some shards");
  return shards;
}

/// Reads the unit's sizes and takes its sums from the front of what is left of the file.
StoredMoments read_unit(JsonReader& reader, std::string_view& rest) {
  StoredMoments unit{
      reader.integer("groups"), reader.integer("inputs"), reader.integer("columns"), reader.integer("exponent"), {}};
  reader.finish();
  const bool sized = unit.groups >= 1 && unit.groups <= kMostGroups && unit.inputs >= 1 &&
                     unit.inputs <= kMostStoredInputs && unit.columns >= 0;
  if (!sized || std::abs(unit.exponent) > kLargestExponent) refuse(reader.where(), "sizes that no unit has");
  const auto count = static_cast<std::size_t>(unit.groups * (unit.inputs * (unit.inputs + 1) / 2));
  if (rest.size() / sizeof(std::int64_t) < count) refuse(reader.where(), "its sums are cut short");
  unit.sums.resize(count);
  std::memcpy(unit.sums.data(), rest.data(), count * sizeof(std::int64_t));
  rest.remove_prefix(count * sizeof(std::int64_t));
  return unit;
}

}  // namespace

std::string StoredHessians::to_bytes() const {
  std::string sums;
  for (const auto& [name, unit] : units) {
    sums.append(reinterpret_cast<const char*>(unit.sums.data()), unit.sums.size() * sizeof(std::int64_t));
  }
  const std::string head = header(*this, sha256_hex(sums)).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  sums.insert(0, std::string(kMagic) + head);
  return sums;
}

StoredHessians StoredHessians::from_bytes(std::string_view bytes, const std::string& origin) {
  if (!bytes.starts_with(kMagic)) refuse(origin, "not a file of Hessians");
  bytes.remove_prefix(kMagic.size());
  const std::size_t end = bytes.find('\n');
  if (end == std::string_view::npos) refuse(origin, "its header is cut short");
  const Json json = parse_json(bytes.substr(0, end), origin);
  bytes.remove_prefix(end + 1);
  JsonReader reader(json, origin);
  reader.require_schema("hessians");
  StoredHessians hessians{reader.text("graph"),
                          reader.text("calibration"),
                          read_shards(reader.object("shard")),
                          reader.integer("images"),
                          {}};
  if (hessians.images < 0) refuse(reader.path_of("images"), "negative");
  if (reader.text("sums_sha256") != sha256_hex(bytes)) refuse(origin, "its sums are not those that it was made with");
  std::string before;
  for (JsonReader& entry : reader.objects("units")) {
    const std::string name = entry.text("unit");
    if (!hessians.units.empty() && name <= before) refuse(entry.where(), "the units are not sorted");
    hessians.units[name] = read_unit(entry, bytes);
    before = name;
  }
  reader.finish();
  if (!bytes.empty()) refuse(origin, "more sums than units");
  return hessians;
}

StoredHessians StoredHessians::load(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  return from_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

void StoredHessians::save(const std::filesystem::path& path) const {
  write_file_atomically(path, to_bytes());
}

bool StoredHessians::is_one(const std::filesystem::path& path) {
  std::string begin(kMagic.find('/'), '\0');
  std::ifstream file(path, std::ios::binary);
  return file.read(begin.data(), static_cast<std::streamsize>(begin.size())) && kMagic.starts_with(begin);
}

}  // namespace cleave::tune
