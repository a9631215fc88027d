#pragma once

#include <cstdint>
#include <vector>

#include "exec/kernels/int8/geometry.h"
#include "exec/kernels/simd/kernels.h"

namespace cleave::exec::int8 {

/// Writes what a band of output rows sees into a buffer of int16: codes minus zero point, 0 for padding.
class SourceBuffer {
 public:
  SourceBuffer(const Geometry& geometry, bool is_signed, std::int32_t zero_point, const simd::Int8Kernels& kernels);

  /// buffer[rows][columns][channels], all channels.
  void fill(const Band& band, const void* source, std::int16_t* buffer) const;
  /// buffer[rows][columns][cell] of pairs: the code of this row and of the kernel's next row, for `channels` channels
  /// from `first` on.
  void fill_pairs(const Band& band, const void* source, std::int64_t first, std::int64_t channels, std::int64_t cell,
                  std::int32_t* buffer) const;

 private:
  struct Range {
    std::int64_t begin;
    std::int64_t end;
  };
  const std::uint8_t* row(const Band& band, const void* source, std::int64_t buffer_row) const;
  bool is_one_run(const Band& band) const;
  bool begins_a_pair(const Band& band, std::int64_t buffer_row) const;
  void widen(const std::uint8_t* codes, std::int64_t n, std::int16_t* out) const;
  void fill_row(const std::uint8_t* codes, std::int16_t* out) const;
  void pair(const simd::PairJob& job, const std::uint8_t* upper, const std::uint8_t* lower, std::int32_t* out) const;

  Geometry geometry_;
  bool is_signed_;
  std::int32_t zero_point_;
  const simd::Int8Kernels* kernels_;
  Range inside_;                       ///< buffer columns that are not padding
  std::vector<std::uint8_t> padding_;  ///< a pixel of zero points
};

}  // namespace cleave::exec::int8
