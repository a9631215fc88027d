#include "exec/kernels/int8/float_rows.h"

#include <algorithm>

namespace cleave::exec::int8 {

FloatRows::FloatRows(const Geometry& geometry, const Source& source, const simd::Int8Kernels& kernels)
    : geometry_(geometry), source_(source), kernels_(&kernels), inside_(geometry.inside()) {}

void FloatRows::fill(const Band& band, const void* source, std::int64_t buffer_row, std::int64_t first,
                     std::int64_t channels, std::int64_t cell, float* row) const {
  const ConvolutionShape& s = geometry_.shape;
  const auto padding = static_cast<float>(source_.zero_point);
  const auto y = geometry_.source_row(band, buffer_row);
  if (!y) {
    std::fill_n(row, geometry_.columns * cell, padding);
    return;
  }
  std::fill_n(row, inside_.begin * cell, padding);
  std::fill(row + inside_.end * cell, row + geometry_.columns * cell, padding);
  const std::int64_t x = inside_.begin * geometry_.column_step - s.pad_left;
  const auto* codes =
      static_cast<const std::uint8_t*>(source) + ((band.picture * s.height + *y) * s.width + x) * s.channels + first;
  simd::PixelRun run{inside_.end - inside_.begin, channels, geometry_.column_step * s.channels, cell};
  if (run.stride == channels && cell == channels) run = {1, run.pixels * channels, 0, 0};
  float* out = row + inside_.begin * cell;
  if (source_.is_signed) {
    kernels_->to_floats_s8(run, reinterpret_cast<const std::int8_t*>(codes), out);
  } else {
    kernels_->to_floats_u8(run, codes, out);
  }
}

}  // namespace cleave::exec::int8
