#include "tune/sensitivity_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "graph/units.h"

namespace cleave::tune {

namespace {

constexpr double kUnitsPerOne = 68719476736.0;  // 2^36
constexpr double kLargestDamage = 4096;

Json rows_json(const SensitivityTable& table, const std::vector<SensitivityRow>& rows, const char* key) {
  Json list = Json::array();
  for (const SensitivityRow& row : rows) {
    list.push_back({{key, row.name},
                    {"bits", row.bits},
                    {"mse_ratio", row.mse_ratio},
                    {"sqnr_db", row.mse_ratio > 0 ? Json(-10 * std::log10(row.mse_ratio)) : Json()},
                    {"damage_sum", row.damage.units()},
                    {"damage", table.damage(row)}});
  }
  return list;
}

std::vector<SensitivityRow> read_rows(JsonReader& reader, const std::string& list, const std::string& key) {
  std::vector<SensitivityRow> rows;
  for (JsonReader& entry : reader.objects(list)) {
    const std::int64_t bits = entry.integer("bits");
    const std::int64_t damage = entry.integer("damage_sum");
    const double ratio = entry.number("mse_ratio");
    if (bits < 2 || bits > 8 || damage < 0 || ratio < 0) {
      throw Error(ErrorKind::kInvalidInput, entry.where() + ": bits must be 2 to 8, and nothing may be negative");
    }
    rows.push_back({entry.text(key), static_cast<int>(bits), ratio, DamageSum(damage)});
    for (const char* derived : {"sqnr_db", "damage"}) entry.ignore(derived);
    entry.finish();
  }
  return rows;
}

std::map<std::string, std::string> read_texts(JsonReader reader) {
  std::map<std::string, std::string> texts;
  for (const auto& entry : reader.json().items()) texts[entry.key()] = reader.text(entry.key());
  return texts;
}

std::vector<SensitivityImage> read_images(JsonReader& reader) {
  std::vector<SensitivityImage> images;
  for (JsonReader& entry : reader.objects("images")) {
    images.push_back({entry.text("path"), entry.text("sha256")});
    entry.finish();
    if (images.size() > 1 && images[images.size() - 2].path >= images.back().path) {
      throw Error(ErrorKind::kInvalidInput, entry.where() + ": images must be sorted by path, each once");
    }
  }
  return images;
}

void check_shards(const SensitivityTable& table, const std::string& origin) {
  const auto& shards = table.shards;
  const bool sorted = std::adjacent_find(shards.begin(), shards.end(), std::greater_equal<>()) == shards.end();
  if (table.shard_count < 1 || shards.empty() || !sorted || shards.front() < 0 || shards.back() >= table.shard_count) {
    throw Error(ErrorKind::kInvalidInput, origin + ": shards must be ascending, from 0 to shard_count - 1");
  }
}

Damages damages_of(const SensitivityTable& table, const std::vector<SensitivityRow>& rows) {
  Damages damages;
  for (const SensitivityRow& row : rows) damages[row.name][row.bits] = table.damage(row);
  return damages;
}

void merge_rows(std::vector<SensitivityRow>& target, const std::vector<SensitivityRow>& rows) {
  const bool same = std::equal(
      target.begin(), target.end(), rows.begin(), rows.end(),
      [](const auto& a, const auto& b) { return a.name == b.name && a.bits == b.bits && a.mse_ratio == b.mse_ratio; });
  if (!same) throw Error(ErrorKind::kStale, "the sensitivities are of other units or bits");
  for (std::size_t i = 0; i < rows.size(); ++i) target[i].damage.merge(rows[i].damage);
}

void merge_images(std::vector<SensitivityImage>& target, const std::vector<SensitivityImage>& images) {
  const auto by_path = [](const SensitivityImage& a, const SensitivityImage& b) { return a.path < b.path; };
  target.insert(target.end(), images.begin(), images.end());
  std::sort(target.begin(), target.end(), by_path);
  const auto twice =
      std::adjacent_find(target.begin(), target.end(), [](const auto& a, const auto& b) { return a.path == b.path; });
  if (twice == target.end()) return;
  throw Error(ErrorKind::kInvalidInput, "image '" + twice->path + "' is in both tables of sensitivities");
}

void merge_shards(SensitivityTable& target, const SensitivityTable& other) {
  if (target.shard_count != other.shard_count) {
    throw Error(ErrorKind::kInvalidInput, "the shards belong to different partitions of the images");
  }
  if (target.complete()) return;
  target.shards.insert(target.shards.end(), other.shards.begin(), other.shards.end());
  std::sort(target.shards.begin(), target.shards.end());
  if (std::adjacent_find(target.shards.begin(), target.shards.end()) != target.shards.end()) {
    throw Error(ErrorKind::kInvalidInput, "a shard is in both tables of sensitivities");
  }
  if (static_cast<std::int64_t>(target.shards.size()) < target.shard_count) return;
  target.shard_count = 1;
  target.shards = {0};
}

}  // namespace

void DamageSum::add(double damage) {
  const double bounded = damage < kLargestDamage ? damage : kLargestDamage;  // NaN too
  merge(DamageSum(std::llround(bounded * kUnitsPerOne)));
}

void DamageSum::merge(const DamageSum& other) {
  if (units_ > std::numeric_limits<std::int64_t>::max() - other.units_) {
    throw Error(ErrorKind::kInvalidInput, "the damages of so many images leave 64 bits");
  }
  units_ += other.units_;
}

double DamageSum::mean(std::int64_t images) const {
  return images > 0 ? static_cast<double>(units_) / kUnitsPerOne / static_cast<double>(images) : 0;
}

Damages SensitivityTable::weight_damages() const {
  return damages_of(*this, weights);
}

Damages SensitivityTable::activation_damages(const graph::Graph& graph) const {
  Damages damages = damages_of(*this, activations);
  for (const graph::Unit& unit : graph.units()) {
    const auto moved = graph::moved_tensor(graph, unit);
    const auto source = moved ? damages.find(graph.tensor(*moved).name) : damages.end();
    if (source == damages.end()) continue;
    const std::map<int, double> same = source->second;
    for (const graph::TensorId id : unit.outputs) damages[graph.tensor(id).name] = same;
  }
  return damages;
}

Json SensitivityTable::to_json() const {
  Json json = make_document("sensitivity");
  json["made_from"] = made_from;
  json["clip"] = clip;
  json["measure_of_output"] = measure_of;
  json["shard_count"] = shard_count;
  json["shards"] = shards;
  json["images"] = Json::array();
  for (const SensitivityImage& image : images) {
    json["images"].push_back({{"path", image.path}, {"sha256", image.sha256}});
  }
  json["weights"] = rows_json(*this, weights, "unit");
  json["activations"] = rows_json(*this, activations, "tensor");
  return json;
}

SensitivityTable SensitivityTable::from_json(const Json& json, const std::string& origin) {
  JsonReader reader(json, origin);
  reader.require_schema("sensitivity");
  SensitivityTable table;
  table.made_from = read_texts(reader.object("made_from"));
  table.clip = reader.text("clip");
  table.measure_of = read_texts(reader.object("measure_of_output"));
  table.shard_count = reader.integer("shard_count");
  table.shards = reader.integers("shards");
  check_shards(table, origin);
  table.images = read_images(reader);
  table.weights = read_rows(reader, "weights", "unit");
  table.activations = read_rows(reader, "activations", "tensor");
  reader.finish();
  return table;
}

SensitivityTable SensitivityTable::load(const std::filesystem::path& path, const graph::Graph& graph) {
  SensitivityTable table = from_json(read_json(path), path.string());
  if (table.made_from["model"] != graph.fingerprint()) {
    throw Error(ErrorKind::kStale, path.string() + " was measured on another network",
                "Run cleave sensitivity on this model.");
  }
  if (!table.complete()) {
    throw Error(ErrorKind::kInvalidInput, path.string() + " holds only some shards", "Join them with cleave merge.");
  }
  return table;
}

std::string SensitivityTable::fingerprint() const {
  return json_fingerprint(to_json());
}

SensitivityTable merge(const SensitivityTable& a, const SensitivityTable& b) {
  if (a.made_from != b.made_from || a.clip != b.clip || a.measure_of != b.measure_of) {
    throw Error(ErrorKind::kStale, "the sensitivities are of different models, calibrations or clips");
  }
  SensitivityTable merged = a;
  merge_rows(merged.weights, b.weights);
  merge_rows(merged.activations, b.activations);
  merge_images(merged.images, b.images);
  merge_shards(merged, b);
  return merged;
}

}  // namespace cleave::tune
