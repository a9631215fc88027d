#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "quant/calibration_table.h"
#include "quant/histogram_text.h"

namespace cleave::quant {

namespace {

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw Error(ErrorKind::kInvalidInput, where + ": " + what, "The calibration table is damaged; calibrate again.");
}

float read_bound(const Json& json, const std::string& where, float when_null) {
  if (json.is_null()) return when_null;
  if (!json.is_number()) refuse(where, "expected a number or null");
  const auto value = json.get<double>();
  if (std::abs(value) > double{std::numeric_limits<float>::max()}) refuse(where, "does not fit in 32 bits");
  return static_cast<float>(value);
}

void check_counts(const ValueCounts& counts, const FloatHistogram& histogram, const std::string& where) {
  if (counts.count < counts.nans || counts.count - counts.nans < counts.infs || counts.finite() < counts.zeros) {
    refuse(where, "more zeros, NaN or infinities than values");
  }
  if ((counts.min <= counts.max) != (counts.finite() > 0)) refuse(where, "min and max do not fit the count");
  if (histogram.total() > counts.finite()) refuse(where, "the histogram holds more values than were counted");
}

FloatHistogram read_histogram(std::int64_t shift, const std::string& text, const std::string& where) {
  const auto bins = bins_from_text(text);
  if (!bins) refuse(where, "not a list of bins");
  try {
    return FloatHistogram::from_bins(static_cast<int>(std::clamp<std::int64_t>(shift, 0, 32)), *bins);
  } catch (const Error& error) {
    throw error.within(where);
  }
}

std::uint64_t as_count(std::int64_t value, const std::string& where) {
  if (value < 0) refuse(where, "a count is negative");
  return static_cast<std::uint64_t>(value);
}

/// One counter of every channel.
std::vector<std::uint64_t> read_counts(JsonReader& reader, const std::string& key, std::size_t channels) {
  std::vector<std::uint64_t> counts;
  for (const std::int64_t value : reader.integers(key)) counts.push_back(as_count(value, reader.path_of(key)));
  if (counts.size() != channels) refuse(reader.path_of(key), "the columns of the channels differ in length");
  return counts;
}

std::vector<float> read_bounds(JsonReader& reader, const std::string& key, std::size_t channels, float when_null) {
  const Json& json = reader.at(key);
  if (!json.is_array() || json.size() != channels) {
    refuse(reader.path_of(key), "the columns of the channels differ in length");
  }
  std::vector<float> bounds;
  for (const Json& value : json) bounds.push_back(read_bound(value, reader.path_of(key), when_null));
  return bounds;
}

std::vector<ChannelStatistics> read_channels(JsonReader reader) {
  const std::vector<std::string> bins = reader.texts("bins");
  if (bins.empty()) refuse(reader.path_of("bins"), "no channel");
  const std::int64_t shift = reader.integer("shift");
  const ValueCounts none;
  const std::vector<float> min = read_bounds(reader, "min", bins.size(), none.min);
  const std::vector<float> max = read_bounds(reader, "max", bins.size(), none.max);
  const std::vector<std::uint64_t> count = read_counts(reader, "count", bins.size());
  const std::vector<std::uint64_t> zeros = read_counts(reader, "zeros", bins.size());
  const std::vector<std::uint64_t> nans = read_counts(reader, "nans", bins.size());
  const std::vector<std::uint64_t> infs = read_counts(reader, "infs", bins.size());
  reader.finish();
  std::vector<ChannelStatistics> channels;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const std::string where = reader.path_of("bins") + "[" + std::to_string(i) + "]";
    channels.push_back({{min[i], max[i], count[i], zeros[i], nans[i], infs[i]}, read_histogram(shift, bins[i], where)});
    check_counts(channels.back().counts, channels.back().histogram, where);
  }
  return channels;
}

ValueCounts read_tensor_counts(JsonReader& reader) {
  ValueCounts counts;
  counts.min = read_bound(reader.at("min"), reader.path_of("min"), counts.min);
  counts.max = read_bound(reader.at("max"), reader.path_of("max"), counts.max);
  counts.count = as_count(reader.integer("count"), reader.path_of("count"));
  counts.zeros = as_count(reader.integer("zeros"), reader.path_of("zeros"));
  counts.nans = as_count(reader.integer("nans"), reader.path_of("nans"));
  counts.infs = as_count(reader.integer("infs"), reader.path_of("infs"));
  return counts;
}

FloatHistogram read_tensor_histogram(JsonReader reader) {
  const std::int64_t shift = reader.integer("shift");
  FloatHistogram histogram = read_histogram(shift, reader.text("bins"), reader.path_of("bins"));
  reader.finish();
  return histogram;
}

PreActivation read_before(JsonReader reader) {
  PreActivation before{read_tensor_counts(reader), read_tensor_histogram(reader.object("histogram"))};
  check_counts(before.counts, before.histogram, reader.where());
  reader.finish();
  return before;
}

ImageRanges read_image_ranges(JsonReader reader) {
  const ImageRanges ranges{reader.integer("images"), reader.integer("min_sum"), reader.integer("max_sum")};
  if (ranges.images <= 0) refuse(reader.path_of("images"), "not a count of images");
  if (ranges.min_sum > ranges.max_sum) refuse(reader.path_of("min_sum"), "above max_sum");
  reader.finish();
  return ranges;
}

TensorStatistics read_tensor(JsonReader reader) {
  TensorStatistics statistics;
  statistics.counts = read_tensor_counts(reader);
  statistics.histogram = read_tensor_histogram(reader.object("histogram"));
  check_counts(statistics.counts, statistics.histogram, reader.where());
  if (reader.has("before")) statistics.before = read_before(reader.object("before"));
  if (reader.has("image_ranges")) statistics.image_ranges = read_image_ranges(reader.object("image_ranges"));
  if (reader.has("channels")) statistics.channels = read_channels(reader.object("channels"));
  for (const char* derived : {"mean", "variance", "percentiles"}) reader.ignore(derived);
  reader.finish();
  return statistics;
}

std::vector<CalibrationImage> read_images(JsonReader& reader) {
  std::vector<CalibrationImage> images;
  for (JsonReader& entry : reader.objects("images")) {
    images.push_back({entry.text("path"), entry.text("sha256"), entry.integer("jpeg_bytes")});
    entry.finish();
    if (images.back().jpeg_bytes < 0) refuse(entry.path_of("jpeg_bytes"), "negative");
    if (images.size() > 1 && !(images[images.size() - 2].path < images.back().path)) {
      refuse(entry.path_of("path"), "the images are not sorted, or one stands twice");
    }
  }
  return images;
}

void read_shards(JsonReader reader, CalibrationTable& table) {
  table.shard_count = reader.integer("count");
  table.shards = reader.integers("indices");
  reader.finish();
  const bool ascending =
      std::adjacent_find(table.shards.begin(), table.shards.end(), std::greater_equal<>()) == table.shards.end();
  if (table.shards.empty() || !ascending || table.shards.front() < 0 || table.shards.back() >= table.shard_count) {
    refuse(reader.path_of("indices"), "not an ascending list of shards below " + std::to_string(table.shard_count));
  }
  if (table.shard_count > 1 && static_cast<std::int64_t>(table.shards.size()) == table.shard_count) {
    refuse(reader.path_of("count"), "1 expected where all shards are in");
  }
}

std::string read_statistics(JsonReader& reader) {
  const std::string text = reader.text("statistics");
  if (text != "full" && text != "sampled") refuse(reader.path_of("statistics"), "neither full nor sampled");
  return text;
}

}  // namespace

CalibrationTable CalibrationTable::from_json(const Json& json, const std::string& origin) {
  JsonReader reader(json, origin);
  reader.require_schema("calibration");
  CalibrationTable table;
  table.model_sha256 = reader.text("model_sha256");
  table.graph_fingerprint = reader.text("graph_fingerprint");
  table.preprocess = reader.object("preprocess").json().dump(-1, ' ', false, Json::error_handler_t::replace);
  table.statistics = read_statistics(reader);
  read_shards(reader.object("shard"), table);
  table.images = read_images(reader);
  table.bad_images = reader.texts("bad_images");
  if (!std::is_sorted(table.bad_images.begin(), table.bad_images.end())) {
    refuse(reader.path_of("bad_images"), "not sorted");
  }
  JsonReader tensors = reader.object("tensors");
  for (const auto& [name, value] : tensors.json().items()) table.tensors[name] = read_tensor(tensors.object(name));
  reader.finish();
  return table;
}

CalibrationTable CalibrationTable::load(const std::filesystem::path& path) {
  return from_json(read_json(path), path.string());
}

}  // namespace cleave::quant
