#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace cleave::exec::int8 {

/// Sizes of a 2-D convolution, channels last; padding at the ends follows from the output's size.
struct ConvolutionShape {
  std::int64_t batch = 1;
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t channels = 1;
  std::int64_t out_height = 1;
  std::int64_t out_width = 1;
  std::int64_t out_channels = 1;
  std::int64_t kernel_height = 1;
  std::int64_t kernel_width = 1;
  std::int64_t stride_height = 1;
  std::int64_t stride_width = 1;
  std::int64_t dilation_height = 1;
  std::int64_t dilation_width = 1;
  std::int64_t pad_top = 0;
  std::int64_t pad_left = 0;
  std::int64_t groups = 1;

  bool is_depthwise() const { return groups > 1 && groups == channels && channels == out_channels; }
};

/// A product of M x K codes with constant K x N weights as a convolution: each row of M is a pixel.
ConvolutionShape product_shape(std::int64_t m, std::int64_t k, std::int64_t n);

/// Output rows of one picture.
struct Band {
  std::int64_t picture;
  std::int64_t first_row;
  std::int64_t rows;
};

/// Columns [begin, end) of a buffer.
struct Columns {
  std::int64_t begin;
  std::int64_t end;
};

/// How a band of output rows sees the source: through a buffer [rows][columns] of cells, a cell being the channels of a
/// source pixel. Where the kernel has one row (column) only, the buffer keeps the source rows (columns) that the stride
/// hits.
///
///     source row of buffer row r = (first output row * row_stride + r) * row_step - pad_top; columns likewise
struct Geometry {
  ConvolutionShape shape;  ///< a 1x1 window without gaps: of one column, each pixel a row
  std::int64_t row_step;
  std::int64_t column_step;
  std::int64_t row_stride;  ///< buffer rows from an output row to the next
  std::int64_t column_stride;
  std::int64_t columns;
  std::int64_t band_rows = 1;  ///< output rows of a band, the last of a picture may have fewer
  std::int64_t bands = 1;      ///< of a picture

  explicit Geometry(const ConvolutionShape& convolution);

  /// Cuts the output rows of a picture into `count` bands or, where that leaves bands empty, fewer.
  void cut(std::int64_t count);
  Band band(std::int64_t index) const;
  /// Buffer rows under some output rows.
  std::int64_t rows_under(std::int64_t output_rows) const;
  /// Source row of a buffer row under a band; nothing for padding.
  std::optional<std::int64_t> source_row(const Band& band, std::int64_t buffer_row) const;
  /// Buffer columns [begin, end) that are not padding.
  Columns inside() const;
  /// Cells from the beginning of the buffer to that of each output pixel's window, for a whole band.
  std::vector<std::int32_t> window_cells() const;
};

}  // namespace cleave::exec::int8
