#include <stdint.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "exec/kernels/simd/compiled_per_isa.h"

namespace cleave::exec::simd::CLEAVE_SIMD_ISA {
namespace {

#ifdef __AVX2__
constexpr int kCodes = 32;

/// Sixteen tables of 16 entries, looked up by the low half of each code; then four rounds of choosing by the bits of
/// the high half, each brought to the top.
inline __m256i look_up(const uint8_t table[256], __m256i codes) {
  const __m256i low = _mm256_and_si256(codes, _mm256_set1_epi8(15));
  __m256i found[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    const __m128i entries = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * i));
    found[i] = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), low);
  }
#pragma GCC unroll 4
  for (int bit = 4, left = 8; bit < 8; ++bit, left /= 2) {
    const __m256i top = _mm256_slli_epi16(codes, 7 - bit);  // bits of a neighbour stay below the top
#pragma GCC unroll 8
    for (int i = 0; i < left; ++i) found[i] = _mm256_blendv_epi8(found[2 * i], found[2 * i + 1], top);
  }
  return found[0];
}
#endif

void lookup(const uint8_t* in, int64_t n, const uint8_t table[256], uint8_t* out) {
  int64_t i = 0;
#ifdef __AVX2__
  for (; i + kCodes <= n; i += kCodes) {
    const __m256i codes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), look_up(table, codes));
  }
#endif
#pragma GCC unroll 8
  for (; i < n; ++i) out[i] = table[in[i]];
}

}  // namespace

void fill_lookup(KernelTable& table) {
  table.lookup = lookup;
}

}  // namespace cleave::exec::simd::CLEAVE_SIMD_ISA
