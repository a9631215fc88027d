#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/fingerprint.h"
#include "quant/calibration_table.h"
#include "quant/histogram_text.h"

namespace cleave::quant {

namespace {

constexpr std::array<double, 5> kPercentiles = {0.0001, 0.01, 0.5, 0.99, 0.9999};

std::string compact(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The shortest decimal that reads back as the same float; null for the infinity that stands for "nothing seen".
Json float_json(float value) {
  if (!std::isfinite(value)) return nullptr;
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double decimal = 0;
  std::from_chars(text.data(), end, decimal);
  // The shortest text of the largest float lies above it.
  const bool in_range = std::abs(decimal) <= double{std::numeric_limits<float>::max()};
  return in_range && static_cast<float>(decimal) == value ? decimal : double{value};
}

void write_counts(const ValueCounts& counts, Json& json) {
  json["min"] = float_json(counts.min);
  json["max"] = float_json(counts.max);
  json["count"] = counts.count;
  json["zeros"] = counts.zeros;
  json["nans"] = counts.nans;
  json["infs"] = counts.infs;
}

void write_derived(const TensorStatistics& statistics, Json& json) {
  const WeightedValues values = statistics.weighted();
  if (values.empty()) return;
  json["mean"] = values.mean();
  json["variance"] = values.variance();
  for (const double fraction : kPercentiles) json["percentiles"].push_back({fraction, values.quantile(fraction)});
}

Json channels_json(const std::vector<ChannelStatistics>& channels) {
  Json columns = {{"min", Json::array()},  {"max", Json::array()},  {"count", Json::array()}, {"zeros", Json::array()},
                  {"nans", Json::array()}, {"infs", Json::array()}, {"bins", Json::array()}};
  for (const ChannelStatistics& channel : channels) {
    Json row;
    write_counts(channel.counts, row);
    row["bins"] = bins_to_text(channel.histogram.bins());
    for (const auto& [key, value] : row.items()) columns[key].push_back(value);
  }
  columns["shift"] = channels.front().histogram.shift();
  return columns;
}

Json histogram_json(const FloatHistogram& histogram) {
  return {{"shift", histogram.shift()}, {"bins", bins_to_text(histogram.bins())}};
}

Json before_json(const PreActivation& before) {
  Json json;
  write_counts(before.counts, json);
  json["histogram"] = histogram_json(before.histogram);
  return json;
}

Json tensor_json(const TensorStatistics& statistics) {
  Json json;
  write_counts(statistics.counts, json);
  write_derived(statistics, json);
  json["histogram"] = histogram_json(statistics.histogram);
  if (statistics.before) json["before"] = before_json(*statistics.before);
  if (const ImageRanges& ranges = statistics.image_ranges; ranges.images > 0) {
    json["image_ranges"] = {{"images", ranges.images}, {"min_sum", ranges.min_sum}, {"max_sum", ranges.max_sum}};
  }
  if (!statistics.channels.empty()) json["channels"] = channels_json(statistics.channels);
  return json;
}

Json image_json(const CalibrationImage& image) {
  return {{"path", image.path}, {"sha256", image.sha256}, {"jpeg_bytes", image.jpeg_bytes}};
}

/// The document with its two long parts empty.
Json document_without_members(const CalibrationTable& table) {
  Json json = make_document("calibration");
  json["model_sha256"] = table.model_sha256;
  json["graph_fingerprint"] = table.graph_fingerprint;
  json["preprocess"] = parse_json(table.preprocess, "preprocess");
  json["statistics"] = table.statistics;
  json["shard"] = {{"count", table.shard_count}, {"indices", table.shards}};
  json["bad_images"] = table.bad_images;
  json["images"] = Json::array();
  json["tensors"] = Json::object();
  return json;
}

/// What stands between the members of an object or a list.
struct Separators {
  const char* first;
  const char* next;
  const char* end;
  const char* colon;
};
constexpr Separators kOneLine{"", ",", "", ":"};
constexpr Separators kKeyPerLine{"\n  ", ",\n  ", "\n", ": "};
constexpr Separators kMemberPerLine{"\n    ", ",\n    ", "\n  ", ": "};

/// An object or a list whose members are written as they come.
class Members {
 public:
  Members(const char* brackets, const Separators& separators, const PieceSink& sink)
      : brackets_(brackets), separators_(separators), sink_(sink) {
    sink_(std::string_view(brackets_, 1));
  }
  void value(const std::string& text) {
    sink_((any_ ? separators_.next : separators_.first) + text);
    any_ = true;
  }
  void key(const std::string& name, const std::string& text) { value(compact(name) + separators_.colon + text); }
  void end() { sink_((any_ ? separators_.end : std::string()) + brackets_[1]); }

 private:
  const char* brackets_;
  const Separators& separators_;
  const PieceSink& sink_;
  bool any_ = false;
};

void write_members(const Json& json, const Separators& separators, const PieceSink& sink) {
  Members members(json.is_object() ? "{}" : "[]", separators, sink);
  for (const auto& [key, value] : json.items()) {
    json.is_object() ? members.key(key, compact(value)) : members.value(compact(value));
  }
  members.end();
}

/// The document in pieces, in the order of its keys: a table of many images is never in memory a second time.
void write_document(const CalibrationTable& table, const Separators& keys, const Separators& in_keys,
                    const PieceSink& sink) {
  Members document("{}", keys, sink);
  const Json head = document_without_members(table);
  for (const auto& [key, value] : head.items()) {
    document.key(key, value.is_structured() ? "" : compact(value));
    if (key == "images") {
      Members images("[]", in_keys, sink);
      for (const CalibrationImage& image : table.images) images.value(compact(image_json(image)));
      images.end();
    } else if (key == "tensors") {
      Members tensors("{}", in_keys, sink);
      for (const auto& [name, statistics] : table.tensors) tensors.key(name, compact(tensor_json(statistics)));
      tensors.end();
    } else if (value.is_structured()) {
      write_members(value, key == "shard" ? kOneLine : in_keys, sink);
    }
  }
  document.end();
}

void write_text(const CalibrationTable& table, const PieceSink& sink) {
  write_document(table, kKeyPerLine, kMemberPerLine, sink);
  sink("\n");
}

}  // namespace

Json CalibrationTable::to_json() const {
  Json json = document_without_members(*this);
  for (const CalibrationImage& image : images) json["images"].push_back(image_json(image));
  for (const auto& [name, values] : tensors) json["tensors"][name] = tensor_json(values);
  return json;
}

std::string CalibrationTable::fingerprint() const {
  Hasher hasher;
  write_document(*this, kOneLine, kOneLine,
                 [&hasher](std::string_view piece) { hasher.add(std::as_bytes(std::span(piece))); });
  return hasher.hex();
}

std::string CalibrationTable::to_text() const {
  std::string text;
  write_text(*this, [&text](std::string_view piece) { text += piece; });
  return text;
}

void CalibrationTable::save(const std::filesystem::path& path) const {
  write_file_atomically(path, [this](const PieceSink& sink) { write_text(*this, sink); });
}

}  // namespace cleave::quant
