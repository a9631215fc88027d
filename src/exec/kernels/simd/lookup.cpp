#include <stdint.h>

#include "exec/kernels/simd/compiled_per_isa.h"

namespace cleave::exec::simd::CLEAVE_SIMD_ISA {
namespace {

void lookup(const uint8_t* in, int64_t n, const uint8_t table[256], uint8_t* out) {
#pragma GCC unroll 8
  for (int64_t i = 0; i < n; ++i) out[i] = table[in[i]];
}

}  // namespace

void fill_lookup(KernelTable& table) {
  table.lookup = lookup;
}

}  // namespace cleave::exec::simd::CLEAVE_SIMD_ISA
