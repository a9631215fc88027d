#pragma once

/// What a file that is compiled once per instruction set hands over: each fills its part of the table. CLEAVE_SIMD_ISA
/// names the set (CMakeLists.txt here).

#include "exec/kernels/simd/kernels.h"

#define CLEAVE_SIMD_PARTS(isa)                  \
  namespace cleave::exec::simd::isa {           \
  void fill_codes(KernelTable& table);          \
  void fill_arithmetic(KernelTable& table);     \
  void fill_pooling(KernelTable& table);        \
  void fill_lookup(KernelTable& table);         \
  void fill_floats(KernelTable& table);         \
  void fill_bounds(KernelTable& table);         \
  void fill_product(KernelTable& table);        \
  void fill_winograd(KernelTable& table);       \
  void fill_int8_windows(KernelTable& table);   \
  void fill_int8_depthwise(KernelTable& table); \
  void fill_int8_winograd(KernelTable& table);  \
  void fill_peak(KernelTable& table);           \
  }

CLEAVE_SIMD_PARTS(baseline)
CLEAVE_SIMD_PARTS(avx2)
CLEAVE_SIMD_PARTS(avx512)
CLEAVE_SIMD_PARTS(avx512_vnni)
#undef CLEAVE_SIMD_PARTS

namespace cleave::exec::simd {
/// `lookup` for AVX-512 with VBMI, which not every CPU with VNNI has.
void lookup_vbmi(const std::uint8_t* in, std::int64_t n, const std::uint8_t table[256], std::uint8_t* out);
}  // namespace cleave::exec::simd
