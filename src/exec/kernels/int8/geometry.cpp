#include "exec/kernels/int8/geometry.h"

#include <algorithm>

namespace cleave::exec::int8 {
namespace {

bool is_plain_product(const ConvolutionShape& s) {
  return s.kernel_height == 1 && s.kernel_width == 1 && s.stride_height == 1 && s.stride_width == 1 && s.pad_top == 0 &&
         s.pad_left == 0 && s.out_height == s.height && s.out_width == s.width;
}

ConvolutionShape pixels_as_rows(ConvolutionShape s) {
  if (!is_plain_product(s)) return s;
  s.height = s.out_height = s.batch * s.height * s.width;
  s.width = s.out_width = s.batch = 1;
  return s;
}

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

ConvolutionShape product_shape(std::int64_t m, std::int64_t k, std::int64_t n) {
  ConvolutionShape s;
  s.height = s.out_height = m;
  s.channels = k;
  s.out_channels = n;
  return s;
}

Geometry::Geometry(const ConvolutionShape& convolution)
    : shape(pixels_as_rows(convolution)),
      row_step(shape.kernel_height == 1 ? shape.stride_height : 1),
      column_step(shape.kernel_width == 1 ? shape.stride_width : 1),
      row_stride(shape.stride_height / row_step),
      column_stride(shape.stride_width / column_step),
      columns((shape.out_width - 1) * column_stride + (shape.kernel_width - 1) * shape.dilation_width + 1) {}

std::int64_t Geometry::rows_under(std::int64_t output_rows) const {
  return (output_rows - 1) * row_stride + (shape.kernel_height - 1) * shape.dilation_height + 1;
}

void Geometry::cut(std::int64_t count) {
  band_rows = divide_up(shape.out_height, std::clamp<std::int64_t>(count, 1, shape.out_height));
  bands = divide_up(shape.out_height, band_rows);
}

Band Geometry::band(std::int64_t index) const {
  const std::int64_t first_row = index % bands * band_rows;
  return {index / bands, first_row, std::min(band_rows, shape.out_height - first_row)};
}

std::optional<std::int64_t> Geometry::source_row(const Band& band, std::int64_t buffer_row) const {
  const std::int64_t y = (band.first_row * row_stride + buffer_row) * row_step - shape.pad_top;
  return y < 0 || y >= shape.height ? std::nullopt : std::optional(y);
}

Columns Geometry::inside() const {
  const std::int64_t begin = std::min(columns, divide_up(shape.pad_left, column_step));
  return {begin, std::clamp(divide_up(shape.width + shape.pad_left, column_step), begin, columns)};
}

std::vector<std::int32_t> Geometry::window_cells() const {
  std::vector<std::int32_t> cells;
  cells.reserve(band_rows * shape.out_width);
  for (std::int64_t y = 0; y < band_rows; ++y) {
    for (std::int64_t x = 0; x < shape.out_width; ++x) {
      cells.push_back(static_cast<std::int32_t>(y * row_stride * columns + x * column_stride));
    }
  }
  return cells;
}

}  // namespace cleave::exec::int8
