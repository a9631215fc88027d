#pragma once

#include <cstdint>
#include <vector>

#include "exec/kernels/int8/source_buffer.h"

namespace cleave::exec::int8 {

/// Rows under a band as floats, for some of the channels: the codes themselves, the zero point for padding.
class FloatRows {
 public:
  FloatRows(const Geometry& geometry, const Source& source, const simd::Int8Kernels& kernels);

  /// row[columns][cell] = buffer row `buffer_row`, channels [first, first + channels).
  void fill(const Band& band, const void* source, std::int64_t buffer_row, std::int64_t first, std::int64_t channels,
            std::int64_t cell, float* row) const;

 private:
  Geometry geometry_;
  Source source_;
  const simd::Int8Kernels* kernels_;
  Columns inside_;
};

}  // namespace cleave::exec::int8
