#pragma once

#include <cstdint>
#include <optional>

#include "exec/kernels/window.h"
#include "graph/graph.h"

namespace cleave::tune {

/// How the columns that a unit's weights are multiplied with lie in its input (im2col): one column per output position,
/// with K = channels / groups * kernel pixels entries for each group, ordered as a row of the weights: channel of the
/// group, then kernel row, then kernel column. Where the kernel lies over padding the entry is 0.
///
/// The input is a plain [N, channels, spatial...]; the [rows, K] of a matrix product is one of no spatial extent.
struct ColumnGeometry {
  exec::Window window;
  std::int64_t channels = 1;  ///< of the input, all groups together
  std::int64_t groups = 1;

  std::int64_t group_channels() const { return channels / groups; }
  /// K: entries of a column, for one group.
  std::int64_t inputs() const { return group_channels() * window.kernel_pixels(); }
  /// Values of one sample.
  std::int64_t sample_elements() const { return channels * window.input_pixels(); }
};

/// The geometry of a unit that multiplies its first input with constant weights: Conv, Gemm with its input not
/// transposed, MatMul with a matrix. Empty for any other unit. The graph's shapes are known.
std::optional<ColumnGeometry> column_geometry(const graph::Graph& graph, const graph::Unit& unit);

/// Entries [first_row, first_row + rows) of a group's columns at positions [first, first + count), counted over the
/// samples one after the other: out[r * count + i].
///
/// samples  [N, channels, spatial...], at least as many as the positions need.
void fill_columns(const ColumnGeometry& geometry, const float* samples, std::int64_t group, std::int64_t first_row,
                  std::int64_t rows, std::int64_t first, std::int64_t count, float* out);

}  // namespace cleave::tune
