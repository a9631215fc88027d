#pragma once

#include <cstdint>

#include "exec/kernels/int8/geometry.h"
#include "exec/kernels/simd/kernels.h"

namespace cleave::exec::int8 {

/// 8-bit codes, channels last, [batch][height][width][channels].
struct Source {
  bool is_signed = false;  ///< int8, else uint8
  std::int32_t zero_point = 0;
};

/// Writes what a band of output rows sees into a buffer of int16: codes minus zero point, 0 for padding.
class SourceBuffer {
 public:
  SourceBuffer(const Geometry& geometry, const Source& source, const simd::Int8Kernels& kernels)
      : geometry_(geometry), source_(source), kernels_(&kernels), inside_(geometry.inside()) {}

  /// buffer[rows][columns][channels], all channels.
  void fill(const Band& band, const void* source, std::int16_t* buffer) const;

 private:
  const std::uint8_t* row(const Band& band, const void* source, std::int64_t buffer_row) const;
  bool is_one_run(const Band& band) const;
  void widen(const std::uint8_t* codes, std::int64_t n, std::int16_t* out) const;
  void fill_row(const std::uint8_t* codes, std::int16_t* out) const;

  Geometry geometry_;
  Source source_;
  const simd::Int8Kernels* kernels_;
  Columns inside_;
};

}  // namespace cleave::exec::int8
