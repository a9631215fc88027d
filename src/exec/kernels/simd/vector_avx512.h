#pragma once

#include <immintrin.h>
#include <stdint.h>

namespace cleave::exec::simd {
namespace {

constexpr int kLanes = 16;
typedef float Float __attribute__((vector_size(64)));
typedef int32_t Int __attribute__((vector_size(64)));

struct Full {};
struct Part {
  int count;
};
inline __mmask16 mask_of(Part part) {
  return static_cast<__mmask16>((1U << part.count) - 1U);
}

inline Int as_int(__m512i v) {
  return reinterpret_cast<Int>(v);
}
inline __m512i raw(Int v) {
  return reinterpret_cast<__m512i>(v);
}

inline Float splat(float v) {
  return _mm512_set1_ps(v);
}
inline Int splat(int32_t v) {
  return as_int(_mm512_set1_epi32(v));
}

inline Float load(const float* p, Full) {
  return _mm512_loadu_ps(p);
}
inline Float load(const float* p, Part n) {
  return _mm512_maskz_loadu_ps(mask_of(n), p);
}
inline Int load(const int32_t* p, Full) {
  return as_int(_mm512_loadu_si512(p));
}
inline Int load(const int32_t* p, Part n) {
  return as_int(_mm512_maskz_loadu_epi32(mask_of(n), p));
}
inline Int load(const uint8_t* p, Full) {
  return as_int(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
inline Int load(const uint8_t* p, Part n) {
  return as_int(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask_of(n), p)));
}
inline Int load(const int8_t* p, Full) {
  return as_int(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
inline Int load(const int8_t* p, Part n) {
  return as_int(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(mask_of(n), p)));
}

inline void store(float* p, Float v, Full) {
  _mm512_storeu_ps(p, v);
}
inline void store(float* p, Float v, Part n) {
  _mm512_mask_storeu_ps(p, mask_of(n), v);
}
inline void store(int32_t* p, Int v, Full) {
  _mm512_storeu_si512(p, raw(v));
}
inline void store(int32_t* p, Int v, Part n) {
  _mm512_mask_storeu_epi32(p, mask_of(n), raw(v));
}
inline void store(uint8_t* p, Int v, Full) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(raw(v)));
}
inline void store(uint8_t* p, Int v, Part n) {
  _mm_mask_storeu_epi8(p, mask_of(n), _mm512_cvtepi32_epi8(raw(v)));
}
inline void store(int8_t* p, Int v, Full n) {
  store(reinterpret_cast<uint8_t*>(p), v, n);
}
inline void store(int8_t* p, Int v, Part n) {
  store(reinterpret_cast<uint8_t*>(p), v, n);
}

/// 2 * kLanes codes.
template <typename Code>
inline void store_two(Code* p, Int a, Int b) {
  store(p, a, Full{});
  store(p + kLanes, b, Full{});
}

inline Float min(Float a, Float b) {
  return _mm512_min_ps(a, b);
}
inline Float max(Float a, Float b) {
  return _mm512_max_ps(a, b);
}
inline Float multiply_add(Float a, Float b, Float c) {
  return _mm512_fmadd_ps(a, b, c);
}
inline Float reciprocal(Float v) {
  const __m512 r = _mm512_rcp14_ps(v);
  return _mm512_mul_ps(r, _mm512_fnmadd_ps(v, r, _mm512_set1_ps(2.0F)));
}
inline Float to_float(Int v) {
  return _mm512_cvtepi32_ps(raw(v));
}
inline Int round(Float v) {
  return as_int(_mm512_cvtps_epi32(v));
}

inline Int add_dot_pairs(Int sum, Int a, Int b) {
#ifdef __AVX512VNNI__
  return as_int(_mm512_dpwssd_epi32(raw(sum), raw(a), raw(b)));
#else
  return sum + as_int(_mm512_madd_epi16(raw(a), raw(b)));
#endif
}

}  // namespace
}  // namespace cleave::exec::simd

#include "exec/kernels/simd/vector_writer.h"
