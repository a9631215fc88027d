#include "exec/kernels/simd/compiled_per_isa.h"
#include "exec/kernels/simd/rounding.h"
#include "exec/kernels/simd/vector.h"

namespace cleave::exec::simd::CLEAVE_SIMD_ISA {
namespace {

/// In this order min and max give x where x is not a number.
inline Float bounded(Float x, Float low, Float high) {
  return min(high, max(low, x));
}

/// 2^k as a float for -127 < k < 128.
inline Float power_of_two(Int k) {
  return reinterpret_cast<Float>((k + 127) << 23);
}

/// exp(x) = 2^k exp(r), |r| <= ln 2 / 2, the latter by Cephes' polynomial (expf). 2^k is multiplied in two halves so
/// that results below the normal range, and 0 and infinity, come out as they should.
inline Float exponential(Float x) {
  constexpr float kCoefficients[] = {1.9875691500e-4F, 1.3981999507e-3F, 8.3334519073e-3F,
                                     4.1665795894e-2F, 1.6666665459e-1F, 5.0000001201e-1F};
  x = bounded(x, splat(-174.0F), splat(174.0F));
  const Int k = round(x * 1.44269504F);
  const Float turns = to_float(k);
  const Float r = multiply_add(turns, splat(2.12194440e-4F), multiply_add(turns, splat(-0.693359375F), x));
  Float p = splat(kCoefficients[0]);
  for (int i = 1; i < 6; ++i) p = multiply_add(p, r, splat(kCoefficients[i]));
  p = multiply_add(p, r * r, r + 1.0F);
  const Int half = k >> 1;
  return p * power_of_two(half) * power_of_two(k - half);
}

float sum(const float* x, int64_t n) {
  Float sums[4] = {splat(0.0F), splat(0.0F), splat(0.0F), splat(0.0F)};
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    for (int k = 0; k < 4; ++k) sums[k] += load(x + i + k * kLanes, Full{});
  }
  for_each_vector(n - i, [&](int64_t j, auto lanes) { sums[0] += load(x + i + j, lanes); });
  const Float lanes = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  float total = 0;
  for (int lane = 0; lane < kLanes; ++lane) total += lanes[lane];
  return total;
}

float largest(const float* x, int64_t n) {
  Float best = splat(x[0]);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) best = max(best, load(x + i, Full{}));
  float result = x[0];
  for (int lane = 0; lane < kLanes; ++lane) result = best[lane] > result ? best[lane] : result;
  for (; i < n; ++i) result = x[i] > result ? x[i] : result;
  return result;
}

void scale_shift(const float* x, int64_t n, float scale, float shift, float low, float high, float* y) {
  for_each_vector(n, [&](int64_t i, auto lanes) {
    const Float v = multiply_add(load(x + i, lanes), splat(scale), splat(shift));
    store(y + i, bounded(v, splat(low), splat(high)), lanes);
  });
}

void softmax(const float* x, int64_t n, float* y) {
  const Float top = splat(largest(x, n));
  for_each_vector(n, [&](int64_t i, auto lanes) { store(y + i, exponential(load(x + i, lanes) - top), lanes); });
  const float total = sum(y, n);
  const float infinity = __builtin_inff();
  scale_shift(y, n, 1.0F / total, 0.0F, -infinity, infinity, y);
}

/// x / (1 + exp(-x)): exp(-x) = 2^t = 2^k 2^f, |f| <= 1/2, the latter by its Taylor series. Beyond |t| = 125 the result
/// is x or nearly 0 anyway.
inline Float silu(Float x) {
  constexpr float kCoefficients[] = {1.5403530e-4F, 1.3333558e-3F, 9.6181291e-3F, 5.5504109e-2F,
                                     2.4022651e-1F, 6.9314718e-1F, 1.0F};
  const Float t = bounded(x * -1.44269504F, splat(-125.0F), splat(125.0F));
  const Int k = round(t);
  const Float f = t - to_float(k);
  Float p = splat(kCoefficients[0]);
  for (int i = 1; i < 7; ++i) p = multiply_add(p, f, splat(kCoefficients[i]));
  const Float power = reinterpret_cast<Float>(reinterpret_cast<Int>(p) + (k << 23));
  return x * reciprocal(power + 1.0F);
}

void silu_run(const float* x, int64_t n, float* y) {
  for_each_vector(n, [&](int64_t i, auto lanes) { store(y + i, silu(load(x + i, lanes)), lanes); });
}

void scale_shift_rows(const float* x, int64_t rows, int64_t channels, const float* scales, const float* shifts,
                      float low, float high, float* y) {
  for (int64_t r = 0; r < rows; ++r, x += channels, y += channels) {
    for_each_vector(channels, [&](int64_t c, auto lanes) {
      const Float v = multiply_add(load(x + c, lanes), load(scales + c, lanes), load(shifts + c, lanes));
      store(y + c, bounded(v, splat(low), splat(high)), lanes);
    });
  }
}

inline Float prelu(Float x, Float slope) {
  const Float zero = splat(0.0F);
  return multiply_add(slope, min(zero, x), max(zero, x));
}

void prelu_run(const float* x, int64_t n, float slope, float* y) {
  for_each_vector(n, [&](int64_t i, auto lanes) { store(y + i, prelu(load(x + i, lanes), splat(slope)), lanes); });
}

void prelu_rows(const float* x, int64_t rows, int64_t channels, const float* slopes, float* y) {
  for (int64_t r = 0; r < rows; ++r, x += channels, y += channels) {
    for_each_vector(channels, [&](int64_t c, auto lanes) {
      store(y + c, prelu(load(x + c, lanes), load(slopes + c, lanes)), lanes);
    });
  }
}

void interpolate(const float* const corners[4], const float weights[4], int64_t n, float* y) {
  for_each_vector(n, [&](int64_t i, auto lanes) {
    Float v = splat(weights[0]) * load(corners[0] + i, lanes);
    for (int k = 1; k < 4; ++k) v = multiply_add(splat(weights[k]), load(corners[k] + i, lanes), v);
    store(y + i, v, lanes);
  });
}

void round_to_grid(const float* x, int64_t n, float scale, const CodeRange& range, float* y) {
  const RoundToCode code_of({0, range.low - range.zero_point, range.high - range.zero_point});
  const Float step = splat(scale);
  for_each_vector(
      n, [&](int64_t i, auto lanes) { store(y + i, to_float(code_of(load(x + i, lanes) / step)) * step, lanes); });
}

/// The pattern of |x| without its 13 last bits, rounded; from 2^16 on infinity. Below 2^-14 the sum with 0.5 rounds to
/// multiples of 2^-24, which are float16's subnormals.
inline Float rounded_to_half(Float x) {
  constexpr int32_t kSign = -2147483647 - 1;
  constexpr int32_t kInfinity = 0x7F800000;
  const Int bits = reinterpret_cast<Int>(x);
  const Int magnitude = bits & splat(~kSign);
  const Int is_number = magnitude < splat(kInfinity);
  const Int number = magnitude & is_number;
  const Int near = (number + 0x0FFF + (number >> 13 & 1)) & splat(~0x1FFF);
  const Int is_large = near >= splat(0x47800000);
  const Int is_small = number < splat(0x38800000);
  const Int small = reinterpret_cast<Int>((reinterpret_cast<Float>(number) + 0.5F) - 0.5F);
  const Int finite = (small & is_small) | (near & ~is_small & ~is_large) | (splat(kInfinity) & is_large);
  return reinterpret_cast<Float>((finite & is_number) | (magnitude & ~is_number) | (bits & splat(kSign)));
}

void round_to_half(const float* x, int64_t n, float* y) {
  for_each_vector(n, [&](int64_t i, auto lanes) { store(y + i, rounded_to_half(load(x + i, lanes)), lanes); });
}

/// 1.5 * 2^23: floats around it are whole numbers, so that adding it rounds, half to even.
constexpr float kWholeNumbers = 12582912.0F;

void round_to_steps(const float* x, int64_t n, float step, float low, float high, float* y) {
  for_each_vector(n, [&](int64_t i, auto lanes) {
    const Float steps = bounded(load(x + i, lanes) / splat(step), splat(low), splat(high));
    store(y + i, ((steps + kWholeNumbers) - kWholeNumbers) * splat(step), lanes);
  });
}

}  // namespace

void fill_floats(KernelTable& table) {
  table.f32 = {softmax,     scale_shift, scale_shift_rows, prelu_run,     prelu_rows,
               interpolate, silu_run,    round_to_grid,    round_to_half, round_to_steps};
}

}  // namespace cleave::exec::simd::CLEAVE_SIMD_ISA
