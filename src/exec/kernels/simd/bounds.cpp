#include "exec/kernels/simd/compiled_per_isa.h"
#include "exec/kernels/simd/vector.h"

namespace cleave::exec::simd::CLEAVE_SIMD_ISA {
namespace {

constexpr float kInfinity = __builtin_inff();

#if defined(__AVX512F__)
inline Float magnitude(Float x) {
  return _mm512_abs_ps(x);
}
inline bool any_above(Float x, Float threshold) {
  return _mm512_cmp_ps_mask(x, threshold, _CMP_GT_OQ) != 0;
}
inline Int count_zeros(Float x, Int zeros) {
  const __mmask16 mask = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_EQ_OQ);
  return as_int(_mm512_mask_sub_epi32(raw(zeros), mask, raw(zeros), _mm512_set1_epi32(-1)));
}
inline void keep_tail(Float x, Float threshold, Tail& tail) {
  const __mmask16 mask = _mm512_cmp_ps_mask(_mm512_abs_ps(x), threshold, _CMP_GT_OQ);
  _mm512_storeu_ps(tail.values + tail.count, _mm512_maskz_compress_ps(mask, x));
  tail.count += __builtin_popcount(mask);
}
#else
inline Float magnitude(Float x) {
  return max(x, -x);
}
inline bool any_above(Float x, Float threshold) {
  const Int mask = x > threshold;
#if defined(__AVX2__)
  return _mm256_movemask_ps(reinterpret_cast<__m256>(mask)) != 0;
#elif defined(__SSE2__)
  return _mm_movemask_ps(reinterpret_cast<__m128>(mask)) != 0;
#else
  return (mask[0] | mask[1] | mask[2] | mask[3]) != 0;
#endif
}
inline Int count_zeros(Float x, Int zeros) {
  return zeros - (x == splat(0.0F));
}
inline void keep_tail(Float x, Float threshold, Tail& tail) {
  const Int above = magnitude(x) > threshold;
  for (int k = 0; k < kLanes; ++k) {
    if (above[k] != 0) tail.values[tail.count++] = x[k];
  }
}
#endif

/// Bounds of one value per lane.
struct Lanes {
  Float low = splat(kInfinity);
  Float high = splat(-kInfinity);
  Float zero_or_nan = splat(0.0F);
  Int zeros = splat(0);

  /// The second operand is what is left where x is NaN.
  void add(Float x) {
    low = min(x, low);
    high = max(x, high);
    zero_or_nan = multiply_add(x, splat(0.0F), zero_or_nan);
    zeros = count_zeros(x, zeros);
  }
};

/// Vectors at once, so that one test tells whether any of their values is in the tail. A value that is NaN
/// hides no other one: of it and a bound, max is the bound.
template <int Vectors>
inline void look_at(const Float* values, Lanes* lanes, Float threshold, Tail& tail) {
  Float largest = splat(0.0F);
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v) {
    lanes[v].add(values[v]);
    largest = max(magnitude(values[v]), largest);
  }
  if (__builtin_expect(!any_above(largest, threshold), 1)) return;
  for (int v = 0; v < Vectors; ++v) keep_tail(values[v], threshold, tail);
}

/// Vectors vectors of channels side by side; the last may be a part of one.
template <int Vectors, typename Last>
void bound_columns(const float* x, int64_t count, int64_t stride, Last last, const RowBounds& bounds, int64_t at,
                   Tail& tail) {
  const Float threshold = splat(tail.threshold);
  Lanes lanes[Vectors];
  for (int64_t i = 0; i < count; ++i, x += stride) {
    Float values[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v + 1 < Vectors; ++v) values[v] = load(x + v * kLanes, Full{});
    values[Vectors - 1] = load(x + (Vectors - 1) * kLanes, last);
    look_at<Vectors>(values, lanes, threshold, tail);
  }
  const auto keep = [&](int v, auto which) {
    const int64_t to = at + v * kLanes;
    store(bounds.low + to, lanes[v].low, which);
    store(bounds.high + to, lanes[v].high, which);
    store(bounds.zero_or_nan + to, lanes[v].zero_or_nan, which);
    store(bounds.zeros + to, lanes[v].zeros, which);
  };
  for (int v = 0; v + 1 < Vectors; ++v) keep(v, Full{});
  keep(Vectors - 1, last);
}

void bound_rows(const float* x, int64_t count, int64_t stride, int64_t channels, const RowBounds& bounds, Tail& tail) {
  int64_t c = 0;
  for (; c + 4 * kLanes <= channels; c += 4 * kLanes) bound_columns<4>(x + c, count, stride, Full{}, bounds, c, tail);
  for (; c + kLanes <= channels; c += kLanes) bound_columns<1>(x + c, count, stride, Full{}, bounds, c, tail);
  if (c < channels) bound_columns<1>(x + c, count, stride, Part{static_cast<int>(channels - c)}, bounds, c, tail);
}

/// One channel whose values lie side by side.
void bound_run(const float* x, int64_t count, const RowBounds& bounds, int64_t channel, Tail& tail) {
  const Float threshold = splat(tail.threshold);
  Lanes lanes[4];
  int64_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
    Float values[4];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) values[v] = load(x + i + v * kLanes, Full{});
    look_at<4>(values, lanes, threshold, tail);
  }
  for (; i + kLanes <= count; i += kLanes) {
    const Float values = load(x + i, Full{});
    look_at<1>(&values, lanes, threshold, tail);
  }
  float low[kLanes], high[kLanes], zero_or_nan[kLanes];
  int32_t zeros[kLanes];
  for (int v = 1; v < 4; ++v) {
    lanes[0].low = min(lanes[v].low, lanes[0].low);
    lanes[0].high = max(lanes[v].high, lanes[0].high);
    lanes[0].zero_or_nan = lanes[0].zero_or_nan + lanes[v].zero_or_nan;
    lanes[0].zeros = lanes[0].zeros + lanes[v].zeros;
  }
  store(low, lanes[0].low, Full{});
  store(high, lanes[0].high, Full{});
  store(zero_or_nan, lanes[0].zero_or_nan, Full{});
  store(zeros, lanes[0].zeros, Full{});
  const auto take = [&](float least, float greatest, float finite, int32_t zero_count) {
    low[0] = least < low[0] ? least : low[0];
    high[0] = greatest > high[0] ? greatest : high[0];
    zero_or_nan[0] += finite;
    zeros[0] += zero_count;
  };
  for (int k = 1; k < kLanes; ++k) take(low[k], high[k], zero_or_nan[k], zeros[k]);
  for (; i < count; ++i) {
    take(x[i], x[i], x[i] * 0.0F, x[i] == 0 ? 1 : 0);
    if (x[i] > tail.threshold || x[i] < -tail.threshold) tail.values[tail.count++] = x[i];
  }
  bounds.low[channel] = low[0];
  bounds.high[channel] = high[0];
  bounds.zero_or_nan[channel] = zero_or_nan[0];
  bounds.zeros[channel] = zeros[0];
}

void bound_runs(const float* x, int64_t count, int64_t channels, const RowBounds& bounds, Tail& tail) {
  for (int64_t c = 0; c < channels; ++c) bound_run(x + c * count, count, bounds, c, tail);
}

}  // namespace

void fill_bounds(KernelTable& table) {
  table.bounds.of_rows = bound_rows;
  table.bounds.of_runs = bound_runs;
}

}  // namespace cleave::exec::simd::CLEAVE_SIMD_ISA
