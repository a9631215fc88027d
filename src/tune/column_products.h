#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "tune/input_columns.h"

namespace cleave::tune {

/// Part of sum_p x_p x_p^T over some columns x_p of one group: entries [row, row + rows) x [column, column + columns),
/// where columns are not before rows: the other half is the same mirrored.
struct ProductTile {
  std::int64_t group;
  std::int64_t row, rows;
  std::int64_t column, columns;
  const double* values;  ///< [rows][stride]
  std::int64_t stride;

  double at(std::int64_t r, std::int64_t c) const { return values[r * stride + c]; }
};

/// Products x x^T of the columns of a plain [N, channels, spatial...] input, summed over its positions and handed over
/// tile by tile; a long input comes in several rounds, each of which covers every tile once.
///
/// Sums run over up to 256 positions in float32, then in float64, in the order of the positions: they depend on the
/// geometry and on the values alone, not on the number of threads. Values that are not finite count as 0.
/// Keeps its memory for the next input: that of 256 columns twice, 4 MiB or more.
class ColumnProducts {
 public:
  explicit ColumnProducts(int threads = 1);  ///< 0: all cores
  ~ColumnProducts();
  ColumnProducts(ColumnProducts&&) noexcept;
  ColumnProducts& operator=(ColumnProducts&&) noexcept;

  /// `fold` is called from several threads, for each tile of a round once. Cost: K^2 / 2 multiply-adds per column.
  void visit(const ColumnGeometry& geometry, std::span<const float> samples,
             const std::function<void(const ProductTile&)>& fold);

 private:
  void visit_finite(const ColumnGeometry& geometry, std::span<const float> samples,
                    const std::function<void(const ProductTile&)>& fold);
  struct Rooms;
  int threads_;
  std::unique_ptr<Rooms> rooms_;
};

}  // namespace cleave::tune
