#include "exec/kernels/int8/source_buffer.h"

#include <algorithm>

namespace cleave::exec::int8 {

const std::uint8_t* SourceBuffer::row(const Band& band, const void* source, std::int64_t buffer_row) const {
  const ConvolutionShape& s = geometry_.shape;
  const auto y = geometry_.source_row(band, buffer_row);
  if (!y) return nullptr;
  return static_cast<const std::uint8_t*>(source) + (band.picture * s.height + *y) * s.width * s.channels;
}

void SourceBuffer::widen(const std::uint8_t* codes, std::int64_t n, std::int16_t* out) const {
  if (source_.is_signed) {
    kernels_->widen_s8(reinterpret_cast<const std::int8_t*>(codes), n, source_.zero_point, out);
  } else {
    kernels_->widen_u8(codes, n, source_.zero_point, out);
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

}  // namespace cleave::exec::int8
