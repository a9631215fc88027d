#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "exec/fake_quantize.h"
#include "graph/graph.h"
#include "quant/shards.h"
#include "tune/column_products.h"

namespace cleave::tune {

/// Units whose columns are longer are left out: the sums of one take K^2 / 2 numbers of eight bytes, 85 MB here.
inline constexpr std::int64_t kMostStoredInputs = 4608;

/// Sums of x x^T over the columns x of one unit's input (ColumnGeometry) as whole numbers, so that images may be added
/// in any order and in any share:
///
///     stored = sum over images of rne(2^exponent * sum_p x_p x_p^T)
///
/// One upper triangle per group, row by row.
struct StoredMoments {
  std::int64_t groups = 1;
  std::int64_t inputs = 1;   ///< K
  std::int64_t columns = 0;  ///< P: of all images so far, per group
  std::int64_t exponent = 0;
  std::vector<std::int64_t> sums;

  static StoredMoments empty(const ColumnGeometry& geometry, std::int64_t exponent);
  /// Adds part of the products of one image. Throws Error(kInvalidInput) when a sum leaves 64 bits.
  void add(const ProductTile& tile);
  /// Throws Error(kStale) when the other is of another geometry or exponent, Error(kInvalidInput) as add.
  void merge(const StoredMoments& other);
  /// H = 2/P sum_p x_p x_p^T of a group, [K, K], row-major; zeros without columns.
  std::vector<double> hessian(std::int64_t group) const;
  bool operator==(const StoredMoments&) const = default;
};

/// The largest exponent at which `columns` products of values up to `magnitude` stay below 2^61. It depends on its
/// arguments alone, whatever share of the images is looked at.
std::int64_t moments_exponent(double magnitude, std::int64_t columns);

/// The input moments of a float network's units over the images of a calibration table; the file hessians.bin.
struct StoredHessians {
  std::string graph;        ///< fingerprint
  std::string calibration;  ///< fingerprint of the table: it names model, preprocessing and images
  quant::Shards shards;
  std::int64_t images = 0;
  std::map<std::string, StoredMoments> units;  ///< by unit name

  /// "cleave.hessians/1", a line of JSON (origin, shards, units with their sizes, SHA-256 of what follows), then the
  /// sums of each unit in order of names, little-endian. One byte representation.
  std::string to_bytes() const;
  /// Throws Error(kInvalidInput) for anything that to_bytes does not write.
  static StoredHessians from_bytes(std::string_view bytes, const std::string& origin);
  static StoredHessians load(const std::filesystem::path& path);  ///< throws Error(kIo) too
  void save(const std::filesystem::path& path) const;
  /// Whether a file claims to be one.
  static bool is_one(const std::filesystem::path& path);
  bool operator==(const StoredHessians&) const = default;
};

/// Exact in any order: the merged shards are byte-identical to one run. Throws Error(kStale) when graph or table
/// differ, Error(kInvalidInput) when a share is in both.
void merge_into(const StoredHessians& other, StoredHessians& target);

/// Codes by GPTQ, with importance order, for every unit of the spec that has moments and no codes yet; the others keep
/// the nearest. Throws Error(kStale) when they are of another graph, Error(kInvalidInput) when shards are missing,
/// Error(kUnsupported) for channels of different bits.
void round_by_hessians(const graph::Graph& graph, const StoredHessians& hessians, exec::QuantizationSpec& spec,
                       int threads);

}  // namespace cleave::tune
