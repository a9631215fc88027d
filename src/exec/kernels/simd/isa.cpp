#include "exec/kernels/simd/isa.h"

#include <oneapi/dnnl/dnnl.h>

namespace cleave::exec::simd {
namespace {

#ifdef CLEAVE_SIMD_X86
Isa detect() {
  // oneDNN's sets are bit masks in which each set contains the older ones.
  const unsigned allowed = static_cast<unsigned>(dnnl_get_effective_cpu_isa());
  const auto allows = [&](unsigned set) { return (allowed & set) == set; };
  if (!allows(dnnl_cpu_isa_avx2) || !__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    return Isa::kBaseline;
  }
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (!allows(dnnl_cpu_isa_avx512_core) || !has_avx512) return Isa::kAvx2;
  const bool has_vnni = __builtin_cpu_supports("avx512vnni");
  return allows(dnnl_cpu_isa_avx512_core_vnni) && has_vnni ? Isa::kAvx512Vnni : Isa::kAvx512;
}
#else
Isa detect() {
  return Isa::kBaseline;
}
#endif

}  // namespace

Isa best_isa() {
  static const Isa best = detect();
  return best;
}

const char* name_of(Isa isa) {
  switch (isa) {
    case Isa::kBaseline:
      return "baseline";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512Vnni:
      return "avx512_vnni";
  }
  return "";
}

}  // namespace cleave::exec::simd
