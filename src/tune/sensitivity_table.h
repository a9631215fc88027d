#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/json.h"
#include "graph/graph.h"

namespace cleave::tune {

/// Damages of images as a whole number, so that they add up the same in any order.
///
/// The unit is 2^-36 (1.5e-11 nats); one image's damage is cut to 2^12 (4096), an infinite one too. 64 bits hold 32,767
/// images at that bound.
class DamageSum {
 public:
  DamageSum() = default;
  explicit DamageSum(std::int64_t units) : units_(units) {}

  /// One image; `damage` is 0 or more.
  void add(double damage);
  /// Throws Error(kInvalidInput) when the sum leaves 64 bits.
  void merge(const DamageSum& other);
  std::int64_t units() const { return units_; }
  /// Mean damage per image; 0 without images.
  double mean(std::int64_t images) const;
  bool operator==(const DamageSum&) const = default;

 private:
  std::int64_t units_ = 0;
};

/// What one bit-width of one unit's weights, or of one activation, costs when everything else is float.
struct SensitivityRow {
  std::string name;  ///< unit, or tensor
  int bits = 8;
  double mse_ratio = 0;  ///< |x - x^|^2 / |x|^2 of the weights, or of the activation over the calibration images
  DamageSum damage;      ///< at the network's outputs (output_damage), over the images
  bool operator==(const SensitivityRow&) const = default;
};

/// An image that was looked at.
struct SensitivityImage {
  std::string path;  ///< relative to the source's folder
  std::string sha256;
  bool operator==(const SensitivityImage&) const = default;
};

/// Damages by name and bits: the mean per image.
using Damages = std::map<std::string, std::map<int, double>>;

/// What every bit-width of every unit and activation costs a network; the file sensitivity.json.
struct SensitivityTable {
  std::map<std::string, std::string> made_from;   ///< fingerprints: model (graph), calibration, preprocess
  std::string clip = "auto";                      ///< how the grids were chosen
  std::map<std::string, std::string> measure_of;  ///< by network output: output_measure_name
  std::int64_t shard_count = 1;                   ///< 1: complete
  std::vector<std::int64_t> shards = {0};         ///< which of 0..shard_count-1 are in, ascending
  std::vector<SensitivityImage> images;           ///< sorted by path
  std::vector<SensitivityRow> weights;            ///< schedule order, ascending bits
  std::vector<SensitivityRow> activations;        ///< network inputs, then unit outputs in schedule order

  bool complete() const { return shard_count == 1; }
  double damage(const SensitivityRow& row) const { return row.damage.mean(static_cast<std::int64_t>(images.size())); }
  Damages weight_damages() const;
  /// Of activations that have rows, and of those that other units only move (graph::moved_tensor): as their source's.
  Damages activation_damages(const graph::Graph& graph) const;

  /// cleave.sensitivity/1. Per row also "sqnr_db" and the mean "damage", derived, for people; ignored when read.
  Json to_json() const;
  static SensitivityTable from_json(const Json& json, const std::string& origin);
  /// Throws Error(kStale) when it was made from another network, Error(kInvalidInput) for a single shard.
  static SensitivityTable load(const std::filesystem::path& path, const graph::Graph& graph);
  std::string fingerprint() const;
};

/// Exact, associative and commutative, as quant::merge: the shards of a run give what the run over all images gives.
/// Throws Error(kStale) when model, calibration, clip or bits differ, Error(kInvalidInput) when an image or a shard is
/// in both or the shards belong to different partitions.
SensitivityTable merge(const SensitivityTable& a, const SensitivityTable& b);

}  // namespace cleave::tune
