#include "quant/calibration_table.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/check.h"
#include "core/error.h"
#include "core/fingerprint.h"
#include "core/text.h"
#include "quant/quantizer.h"
#include "quant/shards.h"

namespace cleave::quant {

void ValueCounts::add(std::span<const float> values) {
  count += values.size();
  for (const float value : values) {
    if (std::isfinite(value)) {
      min = std::min(min, value + 0.0F);
      max = std::max(max, value + 0.0F);
      zeros += value == 0 ? 1U : 0U;
    } else {
      (std::isnan(value) ? nans : infs) += 1;
    }
  }
}

void ValueCounts::merge(const ValueCounts& other) {
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  count += other.count;
  zeros += other.zeros;
  nans += other.nans;
  infs += other.infs;
}

void PreActivation::merge(const PreActivation& other) {
  if (histogram.shift() != other.histogram.shift()) throw Error(ErrorKind::kStale, "histogram bins differ");
  counts.merge(other.counts);
  histogram.merge(other.histogram);
}

namespace {

constexpr double kUnitsPerOne = 1 << 24;
constexpr float kLargestBound = 1 << 23;

std::int64_t in_units(float bound) {
  return std::llround(double{std::clamp(bound, -kLargestBound, kLargestBound)} * kUnitsPerOne);
}

void add_exactly(std::int64_t value, std::int64_t& sum) {
  if (!__builtin_add_overflow(sum, value, &sum)) return;
  throw Error(ErrorKind::kInvalidInput, "the sums of the images' ranges leave 64 bits", "Calibrate on fewer images.");
}

}  // namespace

void ImageRanges::add(float min, float max) {
  merge({1, in_units(min), in_units(max)});
}

void ImageRanges::merge(const ImageRanges& other) {
  add_exactly(other.images, images);
  add_exactly(other.min_sum, min_sum);
  add_exactly(other.max_sum, max_sum);
}

std::optional<Range> ImageRanges::average() const {
  if (images == 0) return std::nullopt;
  const double units = kUnitsPerOne * static_cast<double>(images);
  return Range{static_cast<double>(min_sum) / units, static_cast<double>(max_sum) / units};
}

ActivationValues TensorStatistics::activation_values() const {
  ActivationValues seen{weighted(), {}, image_ranges.average()};
  if (before) seen.before = before->histogram.weighted(before->counts.min, before->counts.max);
  return seen;
}

void TensorStatistics::add(const Tensor& tensor) {
  const auto values = tensor.data<float>();
  histogram.add(values);
  if (tensor.shape().size() < 2) {
    counts.add(values);
    return;
  }
  const ChannelLayout layout = ChannelLayout::of(tensor.shape(), 1);
  if (channels.empty()) channels.resize(static_cast<std::size_t>(layout.channels));
  CLEAVE_CHECK(static_cast<std::int64_t>(channels.size()) == layout.channels, "the channel count stays the same");
  for (std::int64_t run = 0; run < layout.outer * layout.channels; ++run) {
    const auto slice =
        values.subspan(static_cast<std::size_t>(run * layout.inner), static_cast<std::size_t>(layout.inner));
    ChannelStatistics& channel = channels[static_cast<std::size_t>(run % layout.channels)];
    ValueCounts seen;
    seen.add(slice);
    channel.counts.merge(seen);
    counts.merge(seen);
    channel.histogram.add(slice);
  }
}

void TensorStatistics::merge(const TensorStatistics& other) {
  bool same_bins = histogram.shift() == other.histogram.shift() && channels.size() == other.channels.size();
  for (std::size_t i = 0; same_bins && i < channels.size(); ++i) {
    same_bins = channels[i].histogram.shift() == other.channels[i].histogram.shift();
  }
  if (!same_bins) throw Error(ErrorKind::kStale, "channels or histogram bins differ");
  if (before.has_value() != other.before.has_value()) {
    throw Error(ErrorKind::kStale, "only one has the values before the activation", "Calibrate both again.");
  }
  if (before) before->merge(*other.before);
  image_ranges.merge(other.image_ranges);
  counts.merge(other.counts);
  histogram.merge(other.histogram);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    channels[i].counts.merge(other.channels[i].counts);
    channels[i].histogram.merge(other.channels[i].histogram);
  }
}

const TensorStatistics& CalibrationTable::tensor(const std::string& name) const {
  const auto found = tensors.find(name);
  if (found != tensors.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, values] : tensors) names.push_back(known);
  throw Error(ErrorKind::kStale,
              "the calibration table has no statistics of tensor '" + name + "'" + did_you_mean(name, names),
              "Calibrate again with this model.");
}

void CalibrationTable::require_complete() const {
  if (complete()) return;
  throw Error(
      ErrorKind::kInvalidInput,
      "the calibration table holds " + std::to_string(shards.size()) + " of " + std::to_string(shard_count) + " shards",
      "Join all of them with cleave merge.");
}

void CalibrationTable::require_made_from(const std::string& fingerprint_of_graph) const {
  if (graph_fingerprint != fingerprint_of_graph) {
    throw Error(ErrorKind::kStale, "the calibration table was made from another network",
                "Run cleave calibrate on this model.");
  }
  require_complete();
}

std::string CalibrationTable::image_list_hash() const {
  Hasher hasher;
  for (const CalibrationImage& image : images) hasher.add_text(image.path).add_text(image.sha256);
  return hasher.hex();
}

namespace {

void require_same(const std::string& a, const std::string& b, const std::string& what) {
  if (a == b) return;
  throw Error(ErrorKind::kStale, "the calibration tables were made with different " + what,
              "Merge only tables of one model and one preprocessing.");
}

/// Every image that a table read or tried to read.
std::set<std::string> image_paths(const CalibrationTable& table) {
  std::set<std::string> paths(table.bad_images.begin(), table.bad_images.end());
  for (const CalibrationImage& image : table.images) paths.insert(image.path);
  return paths;
}

void require_disjoint_images(const CalibrationTable& a, const CalibrationTable& b) {
  const std::set<std::string> first = image_paths(a);
  for (const std::string& path : image_paths(b)) {
    if (first.count(path) == 0) continue;
    throw Error(ErrorKind::kInvalidInput, "image '" + path + "' is in both calibration tables",
                "Each image counts once: merge shards of one run, each of them once.");
  }
}

void merge_shards(const CalibrationTable& other, CalibrationTable& target) {
  Shards joined{target.shard_count, target.shards};
  joined.merge({other.shard_count, other.shards});
  target.shard_count = joined.count;
  target.shards = std::move(joined.indices);
}

void merge_tensors(const CalibrationTable& other, CalibrationTable& target) {
  if (target.tensors.size() != other.tensors.size()) {
    throw Error(ErrorKind::kStale, "the calibration tables hold different tensors");
  }
  for (auto& [name, statistics] : target.tensors) {
    try {
      statistics.merge(other.tensor(name));
    } catch (const Error& error) {
      throw error.within("tensor '" + name + "'");
    }
  }
}

}  // namespace

CalibrationTable merge(const CalibrationTable& a, const CalibrationTable& b) {
  require_same(a.model_sha256, b.model_sha256, "models");
  require_same(a.graph_fingerprint, b.graph_fingerprint, "graphs");
  require_same(a.preprocess, b.preprocess, "preprocessing");
  require_same(a.statistics, b.statistics, "kinds of statistics");
  CalibrationTable merged = a;
  merge_shards(b, merged);
  require_disjoint_images(a, b);
  merge_tensors(b, merged);
  merged.images.insert(merged.images.end(), b.images.begin(), b.images.end());
  std::sort(merged.images.begin(), merged.images.end(),
            [](const CalibrationImage& x, const CalibrationImage& y) { return x.path < y.path; });
  merged.bad_images.insert(merged.bad_images.end(), b.bad_images.begin(), b.bad_images.end());
  std::sort(merged.bad_images.begin(), merged.bad_images.end());
  return merged;
}

}  // namespace cleave::quant
