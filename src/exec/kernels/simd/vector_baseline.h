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
inline Int load(const uint8_t* p, Full) {
  return Int{p[0], p[1], p[2], p[3]};
}
inline Int load(const int8_t* p, Full) {
  return Int{p[0], p[1], p[2], p[3]};
}

inline void store(float* p, Float v, Full) {
  __builtin_memcpy(p, &v, sizeof v);
}
inline void store(int32_t* p, Int v, Full) {
  __builtin_memcpy(p, &v, sizeof v);
}
inline void store(uint8_t* p, Int v, Full) {
  for (int i = 0; i < kLanes; ++i) p[i] = static_cast<uint8_t>(v[i]);
}
inline void store(int8_t* p, Int v, Full n) {
  store(reinterpret_cast<uint8_t*>(p), v, n);
}

/// 2 * kLanes codes.
template <typename Code>
inline void store_two(Code* p, Int a, Int b) {
  store(p, a, Full{});
  store(p + kLanes, b, Full{});
}

inline Float multiply_add(Float a, Float b, Float c) {
  return a * b + c;
}
inline Float to_float(Int v) {
  return __builtin_convertvector(v, Float);
}

#ifdef __SSE2__
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

}  // namespace
}  // namespace cleave::exec::simd

#include "exec/kernels/simd/vector_part.h"
