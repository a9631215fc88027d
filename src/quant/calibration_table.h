#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/tensor.h"
#include "quant/activation_values.h"
#include "quant/histogram.h"

namespace cleave::quant {

/// Counters that merge exactly in any order. min/max are over finite values (-0 counts as +0); min > max means none
/// was seen.
struct ValueCounts {
  float min = std::numeric_limits<float>::infinity();
  float max = -std::numeric_limits<float>::infinity();
  std::uint64_t count = 0;  ///< all values, finite or not
  std::uint64_t zeros = 0;
  std::uint64_t nans = 0;
  std::uint64_t infs = 0;

  std::uint64_t finite() const { return count - nans - infs; }
  void add(std::span<const float> values);
  void merge(const ValueCounts& other);
  bool operator==(const ValueCounts&) const = default;
};

struct ChannelStatistics {
  ValueCounts counts;
  FloatHistogram histogram{19};
  bool operator==(const ChannelStatistics&) const = default;
};

/// The values before the Relu or Clip that ends a unit, whole tensor.
struct PreActivation {
  ValueCounts counts;
  FloatHistogram histogram{17};

  void merge(const PreActivation& other);  ///< throws Error(kStale) when bins differ
  bool operator==(const PreActivation&) const = default;
};

/// Sums over images of the least and the largest value that each one showed, as whole numbers, so that they add up the
/// same in any order.
///
/// The unit of the sums is 2^-24 (6e-8); one image's bound is cut to [-2^23, 2^23] (8.4 million). 64 bits hold 65,536
/// images at that bound, and a million images of values up to half a million.
struct ImageRanges {
  std::int64_t images = 0;  ///< 0: not collected
  std::int64_t min_sum = 0;
  std::int64_t max_sum = 0;

  /// One image with finite values in [min, max].
  void add(float min, float max);
  /// Throws Error(kInvalidInput) when a sum leaves 64 bits.
  void merge(const ImageRanges& other);
  /// [mean of the minima, mean of the maxima]; empty without images.
  std::optional<Range> average() const;
  bool operator==(const ImageRanges&) const = default;
};

struct TensorStatistics {
  ValueCounts counts;
  FloatHistogram histogram{17};             ///< of all finite values, or of a sample of them
  std::vector<ChannelStatistics> channels;  ///< axis 1; empty when the tensor has no channel axis
  std::optional<PreActivation> before;      ///< where a Relu or Clip makes the tensor, if collected
  ImageRanges image_ranges;

  /// The values as the clip search sees them.
  WeightedValues weighted() const { return histogram.weighted(counts.min, counts.max); }
  /// All that a clip may look at.
  ActivationValues activation_values() const;
  /// Counts every value of a float32 tensor; with two axes or more, axis 1 is the channel axis.
  /// The channel count must be the same at every call (checked).
  void add(const Tensor& tensor);
  /// Throws Error(kStale) when channels or bins differ, or one has no values before the activation.
  void merge(const TensorStatistics& other);
  bool operator==(const TensorStatistics&) const = default;
};

/// One image of the calibration set.
struct CalibrationImage {
  std::string path;             ///< relative to the source's folder
  std::string sha256;           ///< of the file
  std::int64_t jpeg_bytes = 0;  ///< the network's input, after geometry, as JPEG (quality 90); 0 when not an image
  bool operator==(const CalibrationImage&) const = default;
};

/// Activation statistics of one graph over one image set; the file calibration.json.
struct CalibrationTable {
  std::string model_sha256;
  std::string graph_fingerprint;
  std::string preprocess = "{}";                    ///< compact JSON text of the preprocessing block
  std::string statistics = "full";                  ///< what histograms are made of: "full", or "sampled"
  std::int64_t shard_count = 1;                     ///< 1: complete
  std::vector<std::int64_t> shards = {0};           ///< which of 0..shard_count-1 are in this table, ascending
  std::vector<CalibrationImage> images;             ///< sorted by path
  std::vector<std::string> bad_images;              ///< sorted; unreadable and skipped
  std::map<std::string, TensorStatistics> tensors;  ///< by tensor name: network inputs and unit outputs, float only

  /// All shards of the run are in.
  bool complete() const { return shard_count == 1; }
  /// Throws Error(kInvalidInput) when shards are missing: what they saw would be left out without a word.
  void require_complete() const;
  /// Throws Error(kStale) when the table was made from another graph, and as require_complete.
  void require_made_from(const std::string& fingerprint_of_graph) const;
  const TensorStatistics& tensor(const std::string& name) const;  ///< throws Error(kStale) when it is not there
  /// SHA-256 over the sorted image paths and hashes.
  std::string image_list_hash() const;
  std::string fingerprint() const;

  /// cleave.calibration/1. Keys as the fields; per tensor the counters, moments and percentiles derived from the
  /// histogram (for people; ignored when read), the histogram as in histogram_text.h, the channels as columns, and,
  /// where collected, `before` and `image_ranges`.
  Json to_json() const;
  /// The file's text: to_json with one line per tensor and per image, sorted.
  std::string to_text() const;
  /// Throws Error(kInvalidInput) naming the place, for anything that to_json does not write.
  static CalibrationTable from_json(const Json& json, const std::string& origin);
  static CalibrationTable load(const std::filesystem::path& path);
  void save(const std::filesystem::path& path) const;
};

/// Exact, associative and commutative: merging the N shards of a run in any order gives what the run over all images
/// gives (shard 0 of 1). Two complete tables over different images merge to a complete table.
/// Throws Error(kStale) when model, graph, preprocessing or kind of statistics differ, Error(kInvalidInput) when an
/// image or a shard is in both or the shards belong to different partitions.
CalibrationTable merge(const CalibrationTable& a, const CalibrationTable& b);

}  // namespace cleave::quant
