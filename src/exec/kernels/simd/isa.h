#pragma once

namespace cleave::exec::simd {

/// Instruction sets that kernels are compiled for, each including the ones before it.
enum class Isa {
  kBaseline,    ///< what the compiler may always use: SSE2 on x86-64
  kAvx2,        ///< AVX2 and FMA
  kAvx512,      ///< AVX-512 F, BW, VL and DQ
  kAvx512Vnni,  ///< and VNNI
};

/// The widest instruction set of this CPU, or a lower one where oneDNN is kept to it (ONEDNN_MAX_CPU_ISA), so that one
/// machine can run every path. Kernels of every set up to this one may be called.
Isa best_isa();

/// "baseline", "avx2", "avx512", "avx512_vnni".
const char* name_of(Isa isa);

}  // namespace cleave::exec::simd
