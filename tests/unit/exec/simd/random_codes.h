#pragma once

#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "exec/kernels/simd/kernels.h"

namespace cleave::exec::simd {

/// Codes over the whole type, with its ends more often than chance would have them.
template <typename Code>
std::vector<Code> random_codes(std::int64_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Code> codes(n);
  for (auto& code : codes) {
    const auto bits = random();
    code = static_cast<Code>(bits & 0xFF);
    if ((bits >> 8) % 8 == 0) code = std::numeric_limits<Code>::max();
    if ((bits >> 8) % 8 == 1) code = std::numeric_limits<Code>::min();
  }
  return codes;
}

inline std::vector<float> random_floats(std::int64_t n, float low, float high, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> value(low, high);
  std::vector<float> x(n);
  for (auto& v : x) v = value(random);
  return x;
}

inline std::vector<std::int32_t> random_sums(std::int64_t n, std::int32_t bound, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::int32_t> value(-bound, bound);
  std::vector<std::int32_t> sums(n);
  for (auto& v : sums) v = value(random);
  return sums;
}

/// clamp(rint(x) + zero_point, low, high); |x| below 2^30.
inline int rounded_code(float x, const CodeRange& range) {
  const int code = static_cast<int>(__builtin_rintf(x)) + range.zero_point;
  return code < range.low ? range.low : (code > range.high ? range.high : code);
}

/// Lengths around every vector width, and a long one.
constexpr std::int64_t kLengths[] = {1, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 130, 1000};

}  // namespace cleave::exec::simd
