#include "exec/kernels/simd/compiled_per_isa.h"
#include "exec/kernels/simd/vector.h"

namespace cleave::exec::simd::CLEAVE_SIMD_ISA {
namespace {

constexpr int kChains = 12;  ///< more than latency times throughput of every CPU so far, fewer than AVX2's registers

/// Makes the compiler believe that v is read and changed here.
template <typename Vector>
inline void touch(Vector& v) {
#if defined(__x86_64__)
  asm volatile("" : "+x"(v));
#else
  asm volatile("" : "+m"(v));
#endif
}

double float_multiply_add(int64_t rounds) {
  Float sums[kChains];
  for (int c = 0; c < kChains; ++c) sums[c] = splat(static_cast<float>(c));
  Float factor = splat(0.999999F);
  Float addend = splat(1e-7F);
  touch(factor);
  touch(addend);
  for (int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) sums[c] = multiply_add(sums[c], factor, addend);
  }
  for (int c = 0; c < kChains; ++c) touch(sums[c]);
  return 2.0 * kChains * kLanes * static_cast<double>(rounds);
}

#ifdef __AVX512VNNI__
constexpr int kPerLane = 4;
inline Int dot(Int sum, Int a, Int b) {
  return as_int(_mm512_dpbusd_epi32(raw(sum), raw(a), raw(b)));
}
#else
constexpr int kPerLane = 2;
inline Int dot(Int sum, Int a, Int b) {
  return add_dot_pairs(sum, a, b);
}
#endif

double code_dot_product(int64_t rounds) {
  Int sums[kChains];
  for (int c = 0; c < kChains; ++c) sums[c] = splat(int32_t{0});
  Int a = splat(int32_t{1});
  Int b = splat(int32_t{1});
  for (int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) {
      touch(a);  // or the compiler would compute the product once
      sums[c] = dot(sums[c], a, b);
    }
  }
  for (int c = 0; c < kChains; ++c) touch(sums[c]);
  return 2.0 * kPerLane * kChains * kLanes * static_cast<double>(rounds);
}

}  // namespace

void fill_peak(KernelTable& table) {
  table.peak.float_multiply_add = float_multiply_add;
  table.peak.code_dot_product = code_dot_product;
}

}  // namespace cleave::exec::simd::CLEAVE_SIMD_ISA
