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

}  // namespace
}  // namespace cleave::exec::simd

#include "exec/kernels/simd/vector_part.h"
