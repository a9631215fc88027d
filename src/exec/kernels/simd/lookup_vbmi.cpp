#include <immintrin.h>

#include "exec/kernels/simd/compiled_per_isa.h"

namespace cleave::exec::simd {
namespace {

struct Table {
  __m512i quarter[4];
};

/// Each permutation looks 7 bits up in half of the table; the eighth bit chooses the half.
inline __m512i look_up(const Table& table, __m512i index) {
  const __m512i low = _mm512_permutex2var_epi8(table.quarter[0], index, table.quarter[1]);
  const __m512i high = _mm512_permutex2var_epi8(table.quarter[2], index, table.quarter[3]);
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), low, high);
}

}  // namespace

void lookup_vbmi(const std::uint8_t* in, std::int64_t n, const std::uint8_t table[256], std::uint8_t* out) {
  Table quarters;
  for (int q = 0; q < 4; ++q) quarters.quarter[q] = _mm512_loadu_si512(table + 64 * q);
  std::int64_t i = 0;
  for (; i + 64 <= n; i += 64) _mm512_storeu_si512(out + i, look_up(quarters, _mm512_loadu_si512(in + i)));
  if (i == n) return;
  const __mmask64 rest = (__mmask64{1} << (n - i)) - 1;
  _mm512_mask_storeu_epi8(out + i, rest, look_up(quarters, _mm512_maskz_loadu_epi8(rest, in + i)));
}

}  // namespace cleave::exec::simd
