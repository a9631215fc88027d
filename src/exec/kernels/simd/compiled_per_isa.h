#pragma once

/// What a file that is compiled once per instruction set hands over: each fills its part of the table. CLEAVE_SIMD_ISA
/// names the set (CMakeLists.txt here).

#include "exec/kernels/simd/kernels.h"

#define CLEAVE_SIMD_PARTS(isa)         \
  namespace cleave::exec::simd::isa {  \
  void fill_codes(KernelTable& table); \
  void fill_peak(KernelTable& table);  \
  }

CLEAVE_SIMD_PARTS(baseline)
CLEAVE_SIMD_PARTS(avx2)
CLEAVE_SIMD_PARTS(avx512)
CLEAVE_SIMD_PARTS(avx512_vnni)
#undef CLEAVE_SIMD_PARTS
