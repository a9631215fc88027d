#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tune/column_products.h"

namespace cleave::tune {

/// The Hessians of a unit's rounding error, one per group, collected sample by sample:
///
///     H = 2 E[x x^T] = 2/P sum_p x_p x_p^T,   x_p: the columns of the unit's input (ColumnGeometry)
///
/// in the order that quant/hessian_rounding.h wants: of a depthwise convolution [kernel pixels, kernel pixels] for each
/// channel, of a matrix product [inputs, inputs].
///
/// Products are summed in float32 over up to 256 positions, then in float64, in the order in which samples are added:
/// the bits depend on that order and on how samples come together, not on `threads`. Values that are not finite count
/// as 0. Memory: 8 K^2 bytes per group, and what ColumnProducts keeps.
class HessianSum {
 public:
  /// threads  that share one call of add (0: all cores). Callers with threads of their own give each a HessianSum.
  explicit HessianSum(const ColumnGeometry& geometry, int threads = 1);

  /// Adds every position of one sample or more: plain [N, channels, spatial...] of whole samples.
  /// Cost: K^2 / 2 multiply-adds per position and group, and K^2 additions for each call and group; where samples have
  /// few positions, many at once are faster.
  void add(std::span<const float> samples);
  /// Adds what another sum over the same geometry holds.
  void merge(const HessianSum& other);

  const ColumnGeometry& geometry() const { return geometry_; }
  /// P: columns added so far, per group.
  std::int64_t columns() const { return columns_; }
  /// H of a group, [K, K], row-major, symmetric; all zeros when nothing was added.
  std::vector<double> hessian(std::int64_t group = 0) const;

 private:
  ColumnGeometry geometry_;
  ColumnProducts products_;
  std::int64_t columns_ = 0;
  std::vector<double> sums_;  ///< [groups][K][K]; entries below the diagonal are not kept up
};

}  // namespace cleave::tune
