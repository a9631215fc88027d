#pragma once

#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace cleave::exec::simd {
namespace {

constexpr int kLanes = 4;
typedef float Float __attribute__((vector_size(16)));
typedef int32_t Int __attribute__((vector_size(16)));

inline Float splat(float v) {
  return Float{v, v, v, v};
}
inline Int splat(int32_t v) {
  return Int{v, v, v, v};
}

struct Full {};
inline Float load(const float* p, Full) {
  Float v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline Int load(const int32_t* p, Full) {
  Int v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, Float v, Full) {
  __builtin_memcpy(p, &v, sizeof v);
}
inline void store(int32_t* p, Int v, Full) {
  __builtin_memcpy(p, &v, sizeof v);
}
inline Float multiply_add(Float a, Float b, Float c) {
  return a * b + c;
}
inline Float reciprocal(Float v) {
  return 1.0F / v;
}
inline Float to_float(Int v) {
  return __builtin_convertvector(v, Float);
}

#ifdef __SSE2__
inline __m128i load_four(const void* p) {
  int32_t bytes;
  __builtin_memcpy(&bytes, p, sizeof bytes);
  return _mm_cvtsi32_si128(bytes);
}
inline Int load(const uint8_t* p, Full) {
  const __m128i zero = _mm_setzero_si128();
  return reinterpret_cast<Int>(_mm_unpacklo_epi16(_mm_unpacklo_epi8(load_four(p), zero), zero));
}
inline Int load(const int8_t* p, Full) {
  const __m128i zero = _mm_setzero_si128();
  const __m128i high_bytes = _mm_unpacklo_epi16(zero, _mm_unpacklo_epi8(zero, load_four(p)));
  return reinterpret_cast<Int>(_mm_srai_epi32(high_bytes, 24));
}
inline void store(uint8_t* p, Int v, Full) {
  const __m128i words = _mm_packs_epi32(reinterpret_cast<__m128i>(v), reinterpret_cast<__m128i>(v));
  const int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
  __builtin_memcpy(p, &bytes, sizeof bytes);
}
inline void store(int8_t* p, Int v, Full) {
  const __m128i words = _mm_packs_epi32(reinterpret_cast<__m128i>(v), reinterpret_cast<__m128i>(v));
  const int32_t bytes = _mm_cvtsi128_si32(_mm_packs_epi16(words, words));
  __builtin_memcpy(p, &bytes, sizeof bytes);
}
inline Float min(Float a, Float b) {
  return _mm_min_ps(a, b);
}
inline Float max(Float a, Float b) {
  return _mm_max_ps(a, b);
}
inline Int round(Float v) {
  return reinterpret_cast<Int>(_mm_cvtps_epi32(v));
}
inline Int add_dot_pairs(Int sum, Int a, Int b) {
  return sum + reinterpret_cast<Int>(_mm_madd_epi16(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
}
#else
inline Int load(const uint8_t* p, Full) {
  return Int{p[0], p[1], p[2], p[3]};
}
inline Int load(const int8_t* p, Full) {
  return Int{p[0], p[1], p[2], p[3]};
}
inline void store(uint8_t* p, Int v, Full) {
  for (int i = 0; i < kLanes; ++i) p[i] = static_cast<uint8_t>(v[i]);
}
inline void store(int8_t* p, Int v, Full n) {
  store(reinterpret_cast<uint8_t*>(p), v, n);
}
inline Float min(Float a, Float b) {
  return a < b ? a : b;
}
inline Float max(Float a, Float b) {
  return a > b ? a : b;
}
inline Int round(Float v) {
  for (int i = 0; i < kLanes; ++i) v[i] = __builtin_rintf(v[i]);
  return __builtin_convertvector(v, Int);
}
inline Int add_dot_pairs(Int sum, Int a, Int b) {
  typedef int16_t Pairs __attribute__((vector_size(16)));
  const Pairs x = reinterpret_cast<Pairs>(a);
  const Pairs y = reinterpret_cast<Pairs>(b);
  for (int i = 0; i < kLanes; ++i) sum[i] += x[2 * i] * y[2 * i] + x[2 * i + 1] * y[2 * i + 1];
  return sum;
}
#endif

/// 2 * kLanes codes.
template <typename Code>
inline void store_two(Code* p, Int a, Int b) {
  store(p, a, Full{});
  store(p + kLanes, b, Full{});
}

}  // namespace
}  // namespace cleave::exec::simd

#include "exec/kernels/simd/vector_part.h"
#include "exec/kernels/simd/vector_writer.h"
