#pragma once

/// The vectors that kernels are written with, in the width that the including file is compiled for. Only files that
/// are compiled once per instruction set include this. Everything here has internal linkage: were an inline function
/// shared with the rest of the program, the linker might keep the copy that an older CPU cannot run.
///
///   kLanes             floats or 32-bit integers in a vector
///   Float, Int         kLanes floats, kLanes int32; + - * / work lane by lane
///   Full, Part{n}      all lanes, or the first n < kLanes
///   load, store        floats, int32, or 8-bit codes widened to int32 (stored codes must be in range); any alignment
///   store_two          2 * kLanes codes
///   min, max           max(x, bound) is the bound where x is NaN
///   to_float, round    int32 to float and back, half to even; round wants |x| < 2^31
///   reciprocal         1 / x of a normal x whose inverse is normal, relative error below 2^-22
///   CodeWriter         stores clamp(rint(x) + zero_point, low, high): two vectors one behind the other, or twice that
///   add_dot_pairs      sum + a0 * b0 + a1 * b1 for pairs of int16 in a lane, exact

#include <stdint.h>

#if defined(__AVX512BW__)
#include "exec/kernels/simd/vector_avx512.h"
#elif defined(__AVX2__)
#include "exec/kernels/simd/vector_avx2.h"
#else
#include "exec/kernels/simd/vector_baseline.h"
#endif

namespace cleave::exec::simd {
namespace {

/// Calls body(i, Full) for each whole vector of n elements, then body(i, Part) for what remains.
template <typename Body>
inline void for_each_vector(int64_t n, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i, Full{});
  if (i < n) body(i, Part{static_cast<int>(n - i)});
}

inline Float clamp(Float x, Float low, Float high) {
  return min(max(x, low), high);
}

}  // namespace
}  // namespace cleave::exec::simd
