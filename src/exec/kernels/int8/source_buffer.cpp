#include "exec/kernels/int8/source_buffer.h"

#include <algorithm>

namespace cleave::exec::int8 {
namespace {

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

SourceBuffer::SourceBuffer(const Geometry& geometry, bool is_signed, std::int32_t zero_point,
                           const simd::Int8Kernels& kernels)
    : geometry_(geometry),
      is_signed_(is_signed),
      zero_point_(zero_point),
      kernels_(&kernels),
      padding_(geometry.shape.channels, static_cast<std::uint8_t>(zero_point)) {
  const ConvolutionShape& s = geometry.shape;
  inside_.begin = std::min(geometry.columns, divide_up(s.pad_left, geometry.column_step));
  inside_.end = std::clamp(divide_up(s.width + s.pad_left, geometry.column_step), inside_.begin, geometry.columns);
}

const std::uint8_t* SourceBuffer::row(const Band& band, const void* source, std::int64_t buffer_row) const {
  const ConvolutionShape& s = geometry_.shape;
  const std::int64_t y = (band.first_row * geometry_.row_stride + buffer_row) * geometry_.row_step - s.pad_top;
  if (y < 0 || y >= s.height) return nullptr;
  return static_cast<const std::uint8_t*>(source) + (band.picture * s.height + y) * s.width * s.channels;
}

void SourceBuffer::widen(const std::uint8_t* codes, std::int64_t n, std::int16_t* out) const {
  if (is_signed_) {
    kernels_->widen_s8(reinterpret_cast<const std::int8_t*>(codes), n, zero_point_, out);
  } else {
    kernels_->widen_u8(codes, n, zero_point_, out);
  }
}

void SourceBuffer::fill_row(const std::uint8_t* codes, std::int16_t* out) const {
  const std::int64_t channels = geometry_.shape.channels;
  const std::int64_t step = geometry_.column_step;
  std::fill(out, out + inside_.begin * channels, std::int16_t{0});
  std::fill(out + inside_.end * channels, out + geometry_.columns * channels, std::int16_t{0});
  const std::int64_t first = inside_.begin * step - geometry_.shape.pad_left;
  if (step == 1) {
    widen(codes + first * channels, (inside_.end - inside_.begin) * channels, out + inside_.begin * channels);
    return;
  }
  for (std::int64_t j = inside_.begin; j < inside_.end; ++j) {
    widen(codes + (j * step - geometry_.shape.pad_left) * channels, channels, out + j * channels);
  }
}

/// Whole source rows without gaps or padding.
bool SourceBuffer::is_one_run(const Band& band) const {
  const ConvolutionShape& s = geometry_.shape;
  const std::int64_t first = band.first_row * geometry_.row_stride - s.pad_top;
  return geometry_.row_step == 1 && geometry_.column_step == 1 && inside_.begin == 0 && s.pad_left == 0 &&
         geometry_.columns == s.width && first >= 0 && first + geometry_.rows_under(band.rows) <= s.height;
}

void SourceBuffer::fill(const Band& band, const void* source, std::int16_t* buffer) const {
  const std::int64_t rows = geometry_.rows_under(band.rows);
  const std::int64_t row_size = geometry_.columns * geometry_.shape.channels;
  if (is_one_run(band)) return widen(row(band, source, 0), rows * row_size, buffer);
  for (std::int64_t r = 0; r < rows; ++r, buffer += row_size) {
    const std::uint8_t* codes = row(band, source, r);
    if (codes == nullptr) {
      std::fill(buffer, buffer + row_size, std::int16_t{0});
    } else {
      fill_row(codes, buffer);
    }
  }
}

/// Whether the row is the upper one of two kernel rows for some output row of the band.
bool SourceBuffer::begins_a_pair(const Band& band, std::int64_t buffer_row) const {
  const ConvolutionShape& s = geometry_.shape;
  for (std::int64_t ky = 0; ky < s.kernel_height; ky += 2) {
    const std::int64_t distance = buffer_row - ky * s.dilation_height;
    if (distance >= 0 && distance % geometry_.row_stride == 0 && distance / geometry_.row_stride < band.rows) {
      return true;
    }
  }
  return false;
}

void SourceBuffer::pair(const simd::PairJob& job, const std::uint8_t* upper, const std::uint8_t* lower,
                        std::int32_t* out) const {
  if (is_signed_) {
    kernels_->pair_rows_s8(job, reinterpret_cast<const std::int8_t*>(upper),
                           reinterpret_cast<const std::int8_t*>(lower), out);
  } else {
    kernels_->pair_rows_u8(job, upper, lower, out);
  }
}

void SourceBuffer::fill_pairs(const Band& band, const void* source, std::int64_t first, std::int64_t channels,
                              std::int64_t cell, std::int32_t* buffer) const {
  const ConvolutionShape& s = geometry_.shape;
  const std::int64_t rows = geometry_.rows_under(band.rows);
  const std::int64_t row_size = geometry_.columns * cell;
  const std::int64_t begin = (inside_.begin * geometry_.column_step - s.pad_left) * s.channels + first;
  const std::int64_t step = geometry_.column_step * s.channels;
  for (std::int64_t r = 0; r < rows; ++r, buffer += row_size) {
    if (!begins_a_pair(band, r)) continue;
    const std::uint8_t* upper = row(band, source, r);
    const std::uint8_t* lower = r + s.dilation_height < rows ? row(band, source, r + s.dilation_height) : nullptr;
    std::fill(buffer, buffer + inside_.begin * cell, 0);
    std::fill(buffer + inside_.end * cell, buffer + row_size, 0);
    const simd::PairJob job{inside_.end - inside_.begin, channels, upper == nullptr ? 0 : step,
                            lower == nullptr ? 0 : step, cell,     zero_point_};
    pair(job, upper == nullptr ? padding_.data() : upper + begin, lower == nullptr ? padding_.data() : lower + begin,
         buffer + inside_.begin * cell);
  }
}

}  // namespace cleave::exec::int8
