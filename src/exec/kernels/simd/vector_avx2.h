#pragma once

#include <immintrin.h>
#include <stdint.h>

namespace cleave::exec::simd {
namespace {

constexpr int kLanes = 8;
typedef float Float __attribute__((vector_size(32)));
typedef int32_t Int __attribute__((vector_size(32)));

inline Int as_int(__m256i v) {
  return reinterpret_cast<Int>(v);
}
inline __m256i raw(Int v) {
  return reinterpret_cast<__m256i>(v);
}

inline Float splat(float v) {
  return _mm256_set1_ps(v);
}
inline Int splat(int32_t v) {
  return as_int(_mm256_set1_epi32(v));
}

struct Full {};
inline Float load(const float* p, Full) {
  return _mm256_loadu_ps(p);
}
inline Int load(const int32_t* p, Full) {
  return as_int(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline Int load(const uint8_t* p, Full) {
  return as_int(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
inline Int load(const int8_t* p, Full) {
  return as_int(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}

inline void store(float* p, Float v, Full) {
  _mm256_storeu_ps(p, v);
}
inline void store(int32_t* p, Int v, Full) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), raw(v));
}
inline void store(uint8_t* p, Int v, Full) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(raw(v)), _mm256_extracti128_si256(raw(v), 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(words, words));
}
inline void store(int8_t* p, Int v, Full) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(raw(v)), _mm256_extracti128_si256(raw(v), 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
}

/// 2 * kLanes codes.
inline void store_two(uint8_t* p, Int a, Int b) {
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(raw(a), raw(b)), 0xD8);
  const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
}
inline void store_two(int8_t* p, Int a, Int b) {
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(raw(a), raw(b)), 0xD8);
  const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
}

inline Float min(Float a, Float b) {
  return _mm256_min_ps(a, b);
}
inline Float max(Float a, Float b) {
  return _mm256_max_ps(a, b);
}
inline Float multiply_add(Float a, Float b, Float c) {
  return _mm256_fmadd_ps(a, b, c);
}
inline Float reciprocal(Float v) {
  return 1.0F / v;
}
inline Float to_float(Int v) {
  return _mm256_cvtepi32_ps(raw(v));
}
inline Int round(Float v) {
  return as_int(_mm256_cvtps_epi32(v));
}
inline Int add_dot_pairs(Int sum, Int a, Int b) {
  return sum + as_int(_mm256_madd_epi16(raw(a), raw(b)));
}

/// Words and bytes saturate as they are packed, so that only the bounds that saturation leaves are looked after. A
/// float below int32 is converted to the lowest one.
class CodeWriter {
 public:
  CodeWriter(int32_t zero_point, int32_t low, int32_t high)
      : highest_(splat(static_cast<float>(high - zero_point))),
        zero_point_(_mm256_set1_epi16(static_cast<int16_t>(zero_point))),
        low_(_mm256_set1_epi8(static_cast<char>(low))) {}

  template <typename Code>
  void two(Code* p, Float a, Float b) const {
    const __m256i in_order = _mm256_permute4x64_epi64(words(a, b), 0xD8);
    const __m256i codes = bytes(p, in_order, _mm256_permute4x64_epi64(in_order, 0xEE));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(codes));
  }

  template <typename Code>
  void four(Code* p, Code* q, Float a, Float b, Float c, Float d) const {
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256i codes = _mm256_permutevar8x32_epi32(bytes(p, words(a, b), words(c, d)), order);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(codes));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(q), _mm256_extracti128_si256(codes, 1));
  }

 private:
  __m256i words(Float a, Float b) const {
    const __m256i low_half = _mm256_cvtps_epi32(_mm256_min_ps(highest_, a));
    const __m256i high_half = _mm256_cvtps_epi32(_mm256_min_ps(highest_, b));
    return _mm256_adds_epi16(_mm256_packs_epi32(low_half, high_half), zero_point_);
  }
  __m256i bytes(const uint8_t*, __m256i a, __m256i b) const { return _mm256_max_epu8(_mm256_packus_epi16(a, b), low_); }
  __m256i bytes(const int8_t*, __m256i a, __m256i b) const { return _mm256_max_epi8(_mm256_packs_epi16(a, b), low_); }

  Float highest_;
  __m256i zero_point_;
  __m256i low_;
};

}  // namespace
}  // namespace cleave::exec::simd

#include "exec/kernels/simd/vector_part.h"
