#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "quant/histogram.h"

namespace cleave::quant {

/// Counters that merge exactly in any order. min/max are over finite values; min > max means none was seen.
struct ValueCounts {
  float min = 0;
  float max = 0;
  std::uint64_t count = 0;  ///< all values, finite or not
  std::uint64_t zeros = 0;
  std::uint64_t nans = 0;
  std::uint64_t infs = 0;

  std::uint64_t finite() const { return count - nans - infs; }
  void merge(const ValueCounts& other);
  bool operator==(const ValueCounts&) const = default;
};

struct ChannelStatistics {
  ValueCounts counts;
  FloatHistogram histogram{19};
  bool operator==(const ChannelStatistics&) const = default;
};

struct TensorStatistics {
  ValueCounts counts;
  FloatHistogram histogram{17};
  std::vector<ChannelStatistics> channels;  ///< axis 1; empty when the tensor has no channel axis

  /// The values as the clip search sees them.
  WeightedValues weighted() const { return histogram.weighted(counts.min, counts.max); }
  void merge(const TensorStatistics& other);
  bool operator==(const TensorStatistics&) const = default;
};

/// One image of the calibration set.
struct CalibrationImage {
  std::string path;              ///< relative to the source's folder
  std::string sha256;            ///< of the file
  std::int64_t jpeg_bytes = 0;   ///< the network's input, after geometry, as JPEG (quality 90); 0 when not an image
  bool operator==(const CalibrationImage&) const = default;
};

/// Activation statistics of one graph over one image set; the file calibration.json.
struct CalibrationTable {
  std::string model_sha256;
  std::string graph_fingerprint;
  Json preprocess_json() const;
  std::string preprocess;   ///< compact JSON text of the preprocessing block
  std::int64_t shard_index = 0;
  std::int64_t shard_count = 1;  ///< 1 after a complete merge
  std::vector<CalibrationImage> images;     ///< sorted by path
  std::vector<std::string> bad_images;      ///< sorted; unreadable and skipped
  std::map<std::string, TensorStatistics> tensors;  ///< by tensor name: network inputs and unit outputs, float only

  const TensorStatistics& tensor(const std::string& name) const;  ///< throws Error(kStale) when it is not there
  /// SHA-256 over the sorted image paths and hashes.
  std::string image_list_hash() const;
  std::string fingerprint() const;

  Json to_json() const;
  static CalibrationTable from_json(const Json& json, const std::string& origin);
  static CalibrationTable load(const std::filesystem::path& path);
  void save(const std::filesystem::path& path) const;
};

/// Exact, associative and commutative. Throws Error(kStale) when model, graph or preprocessing differ,
/// Error(kInvalidInput) when an image is in both.
CalibrationTable merge(const CalibrationTable& a, const CalibrationTable& b);

}  // namespace cleave::quant
