#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tune/input_columns.h"

namespace cleave::tune {

/// What a least-squares fit of targets to a unit's input columns needs beside the Hessian: sums over positions of
/// y x^T, x and y; x a column of the (rounded) input, y the float network's value of the unit's own sum there.
///
/// Sums run over 512 positions in float32, then in float64, in the order in which samples are added.
/// Memory: 8 K bytes per output channel.
class TargetSum {
 public:
  /// rows: output channels, all groups together. threads: share one call of add (0: all cores).
  TargetSum(const ColumnGeometry& geometry, std::int64_t rows, int threads);

  /// One sample: input [channels, spatial...]; targets [rows, positions], or [positions, rows] of a matrix product.
  void add(std::span<const float> input, std::span<const float> targets);

  std::int64_t columns() const { return columns_; }
  /// Means over positions: E[y x^T] of a group, [rows / groups, K]; E[x] of a group, [K]; E[y], [rows].
  std::vector<double> mean_products(std::int64_t group) const;
  std::vector<double> mean_inputs(std::int64_t group) const;
  std::vector<double> mean_targets() const;

 private:
  void add_group(std::int64_t group, std::span<const float> input, const std::vector<float>& targets);

  ColumnGeometry geometry_;
  std::int64_t rows_;
  int threads_;
  std::int64_t columns_ = 0;
  std::vector<double> products_;  ///< [rows][K]
  std::vector<double> inputs_;    ///< [groups][K]
  std::vector<double> targets_;   ///< [rows]
};

}  // namespace cleave::tune
