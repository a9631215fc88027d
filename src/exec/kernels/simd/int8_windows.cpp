#include "exec/kernels/simd/compiled_per_isa.h"
#include "exec/kernels/simd/int8_epilogue.h"

namespace cleave::exec::simd::CLEAVE_SIMD_ISA {
namespace {

// Output pixels times strips held in registers.
#if defined(__AVX512BW__)
constexpr int kPixels = 8;
#elif defined(__AVX2__)
constexpr int kPixels = 6;
#else
constexpr int kPixels = 4;
#endif
constexpr int kStrips = 2;

inline Int load_weights(const int16_t* p) {
  return load(reinterpret_cast<const int32_t*>(p), Full{});
}

inline Int splat_pair(const int16_t* p) {
  int32_t pair;
  __builtin_memcpy(&pair, p, sizeof pair);
  return splat(pair);
}

int64_t weights_of_strip(const WindowJob& job) {
  return job.tap_count * job.pairs * 2 * kLanes;
}

/// Where the windows of a tile begin.
template <int kP>
struct Windows {
  const int16_t* at[kP];
};

template <int kP, int kS>
CLEAVE_INLINE void add_up(const WindowJob& job, const Windows<kP>& windows, const int16_t* weights,
                          Tile<Int, kP, kS>& tile) {
  const int64_t strip = weights_of_strip(job);
  for (int64_t t = 0; t < job.tap_count; ++t) {
    const int16_t* run[kP];
#pragma GCC unroll 8
    for (int p = 0; p < kP; ++p) run[p] = windows.at[p] + job.taps[t];
    for (int64_t k = 0; k < job.pairs; ++k, weights += 2 * kLanes) {
      Int w[kS];
#pragma GCC unroll 2
      for (int s = 0; s < kS; ++s) w[s] = load_weights(weights + s * strip);
#pragma GCC unroll 8
      for (int p = 0; p < kP; ++p) {
        const Int x = splat_pair(run[p] + 2 * k);
#pragma GCC unroll 2
        for (int s = 0; s < kS; ++s) tile.sums[p][s] = add_dot_pairs(tile.sums[p][s], x, w[s]);
      }
    }
  }
}

/// A tile that may reach beyond the last pixel repeats it.
template <int kP, int kS, bool kWhole = true>
CLEAVE_INLINE void compute_tile(const WindowJob& job, const Epilogue<kS>& epilogue, int64_t pixel,
                                const int16_t* weights) {
  const int64_t pixels = kWhole ? kP : job.pixel_count - pixel;
  Windows<kP> windows;
#pragma GCC unroll 8
  for (int p = 0; p < kP; ++p) {
    windows.at[p] = job.source + job.pixels[pixel + (kWhole || p < pixels ? p : pixels - 1)];
  }
  Tile<Int, kP, kS> tile;
#pragma GCC unroll 8
  for (int p = 0; p < kP; ++p) {
#pragma GCC unroll 2
    for (int s = 0; s < kS; ++s) tile.sums[p][s] = load(job.target.bias + epilogue.channel + s * kLanes, Full{});
  }
  add_up(job, windows, weights, tile);
  finish_tile(epilogue, tile, pixel, pixels);
}

/// All pixels for kS strips of channels.
template <int kS>
void compute_strips(const WindowJob& job, int64_t channel, const int16_t* weights) {
  const Epilogue<kS> epilogue(job.target, channel);
  int64_t p = 0;
  for (; p + kPixels <= job.pixel_count; p += kPixels) compute_tile<kPixels, kS>(job, epilogue, p, weights);
  const int64_t left = job.pixel_count - p;
  if (left > 4) return compute_tile<kPixels, kS, false>(job, epilogue, p, weights);
  if (left == 4) return compute_tile<4, kS>(job, epilogue, p, weights);
  if (left == 3) return compute_tile<4, kS, false>(job, epilogue, p, weights);
  if (left == 2) return compute_tile<2, kS>(job, epilogue, p, weights);
  if (left == 1) return compute_tile<1, kS>(job, epilogue, p, weights);
}

void dense(const WindowJob& job) {
  const int64_t strip = weights_of_strip(job);
  const int16_t* weights = job.weights;
  int64_t c = 0;
  for (; c + kLanes < job.target.channels; c += kStrips * kLanes, weights += kStrips * strip) {
    compute_strips<kStrips>(job, c, weights);
  }
  if (c < job.target.channels) compute_strips<1>(job, c, weights);
}

template <typename Code>
void widen(const Code* __restrict codes, int64_t n, int32_t zero_point, int16_t* __restrict out) {
  const auto zero = static_cast<int16_t>(zero_point);
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<int16_t>(codes[i] - zero);
}

}  // namespace

void fill_int8_windows(KernelTable& table) {
  table.int8.lanes = kLanes;
  table.int8.dense = dense;
  table.int8.widen_u8 = widen<uint8_t>;
  table.int8.widen_s8 = widen<int8_t>;
}

}  // namespace cleave::exec::simd::CLEAVE_SIMD_ISA
