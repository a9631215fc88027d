#include "exec/kernels/simd/kernels.h"

#include "core/check.h"
#include "exec/kernels/simd/compiled_per_isa.h"

namespace cleave::exec::simd {
namespace {

#define CLEAVE_SIMD_TABLE(isa)       \
  [] {                               \
    KernelTable table{};             \
    isa::fill_codes(table);          \
    isa::fill_arithmetic(table);     \
    isa::fill_pooling(table);        \
    isa::fill_lookup(table);         \
    isa::fill_floats(table);         \
    isa::fill_bounds(table);         \
    isa::fill_product(table);        \
    isa::fill_winograd(table);       \
    isa::fill_int8_windows(table);   \
    isa::fill_int8_depthwise(table); \
    isa::fill_int8_winograd(table);  \
    isa::fill_peak(table);           \
    return table;                    \
  }()

#ifdef CLEAVE_SIMD_X86
KernelTable with_vbmi(KernelTable table) {
  if (__builtin_cpu_supports("avx512vbmi")) table.lookup = lookup_vbmi;
  return table;
}
#endif

}  // namespace

const KernelTable& kernels(Isa isa) {
  CLEAVE_CHECK(isa <= best_isa(), "kernels of an instruction set that this CPU lacks");
  // Filling a table is code of its instruction set too: only the wanted one may run.
#ifdef CLEAVE_SIMD_X86
  if (isa == Isa::kAvx512Vnni) {
    static const KernelTable chosen = with_vbmi(CLEAVE_SIMD_TABLE(avx512_vnni));
    return chosen;
  }
  if (isa == Isa::kAvx512) {
    static const KernelTable chosen = CLEAVE_SIMD_TABLE(avx512);
    return chosen;
  }
  if (isa == Isa::kAvx2) {
    static const KernelTable chosen = CLEAVE_SIMD_TABLE(avx2);
    return chosen;
  }
#endif
  static const KernelTable baseline = CLEAVE_SIMD_TABLE(baseline);
  return baseline;
}

const KernelTable& kernels() {
  static const KernelTable& best = kernels(best_isa());
  return best;
}

}  // namespace cleave::exec::simd
