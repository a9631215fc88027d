#include "exec/kernels/simd/compiled_per_isa.h"
#include "exec/kernels/simd/rounding.h"

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
constexpr int kDepthwisePixels = 4;
constexpr int kStrips = 2;

/// A tile stays in registers only where nothing of its making is a call.
#define CLEAVE_INLINE __attribute__((always_inline)) inline

template <int kP, int kS>
struct Tile {
  Int sums[kP][kS];
};

/// Where the windows of a tile begin; a tile beyond the last pixel repeats it.
template <int kP>
struct Windows {
  const int16_t* at[kP];
};

inline Int load_weights(const int16_t* p) {
  return load(reinterpret_cast<const int32_t*>(p), Full{});
}

inline Int splat_pair(const int16_t* p) {
  int32_t pair;
  __builtin_memcpy(&pair, p, sizeof pair);
  return splat(pair);
}

struct Dense {
  static constexpr int kWidest = kPixels;
  static constexpr int kElement = 1;  ///< int16 in an element that offsets count

  static int64_t weights_of_strip(const WindowJob& job) { return job.tap_count * job.pairs * 2 * kLanes; }

  template <int kP, int kS>
  static CLEAVE_INLINE void add_up(const WindowJob& job, const Windows<kP>& windows, int64_t, const int16_t* weights,
                                   Tile<kP, kS>& tile) {
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
};

struct Depthwise {
  static constexpr int kWidest = kDepthwisePixels;
  static constexpr int kElement = 2;

  static int64_t weights_of_strip(const WindowJob& job) { return job.tap_count * 2 * kLanes; }

  template <int kP, int kS>
  static CLEAVE_INLINE void add_up(const WindowJob& job, const Windows<kP>& windows, int64_t channel,
                                   const int16_t* weights, Tile<kP, kS>& tile) {
    const int64_t strip = weights_of_strip(job);
    for (int64_t t = 0; t < job.tap_count; ++t, weights += 2 * kLanes) {
      const int64_t offset = kElement * (job.taps[t] + channel);
#pragma GCC unroll 2
      for (int s = 0; s < kS; ++s) {
        const Int w = load_weights(weights + s * strip);
#pragma GCC unroll 8
        for (int p = 0; p < kP; ++p) {
          const Int x = load_weights(windows.at[p] + offset + s * 2 * kLanes);
          tile.sums[p][s] = add_dot_pairs(tile.sums[p][s], x, w);
        }
      }
    }
  }
};

/// What the epilogue needs for kS strips from `channel` on, read once.
template <int kS>
struct Epilogue {
  Float shifts[kS];
  Float scales[kS];
  Float low;  ///< bounds before the zero point is added
  Float high;
  Int zero_point;

  Epilogue(const WindowJob& job, int64_t channel) : zero_point(splat(job.zero_point)) {
    for (int s = 0; s < kS; ++s) {
      shifts[s] = load(job.shifts + channel + s * kLanes, Full{});
      scales[s] = load(job.scales + channel + s * kLanes, Full{});
    }
    const auto zero = static_cast<float>(job.type == SumOutput::kFloat ? 0 : job.zero_point);
    low = splat(job.low - zero);
    high = splat(job.high - zero);
  }
  Float value(Int sum, int strip) const { return clamp((to_float(sum) + shifts[strip]) * scales[strip], low, high); }
  Int code(Int sum, int strip) const { return round(value(sum, strip)) + zero_point; }

  template <typename Lanes>
  void store_strip(int32_t* out, Int sum, int, Lanes lanes) const {
    store(out, sum, lanes);
  }
  template <typename Lanes>
  void store_strip(float* out, Int sum, int strip, Lanes lanes) const {
    store(out, value(sum, strip), lanes);
  }
  template <typename Code, typename Lanes>
  void store_strip(Code* out, Int sum, int strip, Lanes lanes) const {
    store(out, code(sum, strip), lanes);
  }
};

/// Stores a tile whose channels are all there.
template <typename Out, int kP, int kS>
CLEAVE_INLINE void store_whole(const Epilogue<kS>& epilogue, const Tile<kP, kS>& tile, int64_t pixels, Out* out,
                               int64_t stride) {
#pragma GCC unroll 8
  for (int p = 0; p < kP; ++p) {
    if (p >= pixels) break;
    if constexpr (kS == 2 && sizeof(Out) == 1) {
      store_two(out + p * stride, epilogue.code(tile.sums[p][0], 0), epilogue.code(tile.sums[p][1], 1));
    } else {
#pragma GCC unroll 2
      for (int s = 0; s < kS; ++s) epilogue.store_strip(out + p * stride + s * kLanes, tile.sums[p][s], s, Full{});
    }
  }
}

/// Stores a tile that has `channels` channels.
template <typename Out, int kP, int kS>
CLEAVE_INLINE void store_part(const Epilogue<kS>& epilogue, const Tile<kP, kS>& tile, int64_t pixels, Out* out,
                              int64_t stride, int64_t channels) {
#pragma GCC unroll 8
  for (int p = 0; p < kP; ++p) {
    if (p >= pixels) break;
#pragma GCC unroll 2
    for (int s = 0; s < kS; ++s) {
      Out* place = out + p * stride + s * kLanes;
      const int64_t left = channels - s * kLanes;
      if (left >= kLanes) {
        epilogue.store_strip(place, tile.sums[p][s], s, Full{});
      } else if (left > 0) {
        epilogue.store_strip(place, tile.sums[p][s], s, Part{static_cast<int>(left)});
      }
    }
  }
}

template <typename Out, int kP, int kS>
CLEAVE_INLINE void store_tile(const WindowJob& job, const Epilogue<kS>& epilogue, const Tile<kP, kS>& tile,
                              int64_t pixel, int64_t channel) {
  Out* out = static_cast<Out*>(job.out) + pixel * job.out_stride + channel;
  const int64_t pixels = job.pixel_count - pixel;
  const int64_t channels = job.channels - channel;
  if (channels >= kS * kLanes) {
    store_whole(epilogue, tile, pixels, out, job.out_stride);
  } else {
    store_part(epilogue, tile, pixels, out, job.out_stride, channels);
  }
}

template <int kP, int kS>
CLEAVE_INLINE void finish_tile(const WindowJob& job, const Epilogue<kS>& epilogue, const Tile<kP, kS>& tile,
                               int64_t pixel, int64_t channel) {
  switch (job.type) {
    case SumOutput::kInt32:
      return store_tile<int32_t>(job, epilogue, tile, pixel, channel);
    case SumOutput::kFloat:
      return store_tile<float>(job, epilogue, tile, pixel, channel);
    case SumOutput::kUint8:
      return store_tile<uint8_t>(job, epilogue, tile, pixel, channel);
    case SumOutput::kInt8:
      return store_tile<int8_t>(job, epilogue, tile, pixel, channel);
  }
}

template <typename Kind, int kP, int kS>
CLEAVE_INLINE void compute_tile(const WindowJob& job, const Epilogue<kS>& epilogue, int64_t pixel, int64_t channel,
                                const int16_t* weights) {
  Windows<kP> windows;
#pragma GCC unroll 8
  for (int p = 0; p < kP; ++p) {
    const int64_t at = pixel + p < job.pixel_count ? pixel + p : job.pixel_count - 1;
    windows.at[p] = job.source + static_cast<int64_t>(Kind::kElement) * job.pixels[at];
  }
  Tile<kP, kS> tile;
#pragma GCC unroll 8
  for (int p = 0; p < kP; ++p) {
#pragma GCC unroll 2
    for (int s = 0; s < kS; ++s) tile.sums[p][s] = load(job.bias + channel + s * kLanes, Full{});
  }
  Kind::template add_up<kP, kS>(job, windows, channel, weights, tile);
  finish_tile(job, epilogue, tile, pixel, channel);
}

/// All pixels for kS strips of channels.
template <typename Kind, int kS>
void compute_strips(const WindowJob& job, int64_t channel, const int16_t* weights) {
  const Epilogue<kS> epilogue(job, channel);
  int64_t p = 0;
  for (; p + Kind::kWidest <= job.pixel_count; p += Kind::kWidest) {
    compute_tile<Kind, Kind::kWidest, kS>(job, epilogue, p, channel, weights);
  }
  const int64_t left = job.pixel_count - p;
  if (left > 4) return compute_tile<Kind, Kind::kWidest, kS>(job, epilogue, p, channel, weights);
  if (left > 2) return compute_tile<Kind, 4, kS>(job, epilogue, p, channel, weights);
  if (left == 2) return compute_tile<Kind, 2, kS>(job, epilogue, p, channel, weights);
  if (left == 1) return compute_tile<Kind, 1, kS>(job, epilogue, p, channel, weights);
}

template <typename Kind>
void compute(const WindowJob& job) {
  const int64_t strip = Kind::weights_of_strip(job);
  const int16_t* weights = job.weights;
  int64_t c = 0;
  for (; c + kLanes < job.channels; c += kStrips * kLanes, weights += kStrips * strip) {
    compute_strips<Kind, kStrips>(job, c, weights);
  }
  if (c < job.channels) compute_strips<Kind, 1>(job, c, weights);
}

template <typename Code>
void widen(const Code* __restrict codes, int64_t n, int32_t zero_point, int16_t* __restrict out) {
  const auto zero = static_cast<int16_t>(zero_point);
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<int16_t>(codes[i] - zero);
}

typedef int16_t Pairs __attribute__((vector_size(4 * kLanes)));

inline Int subtract_pairs(Int a, Int b) {
  return reinterpret_cast<Int>(reinterpret_cast<Pairs>(a) - reinterpret_cast<Pairs>(b));
}

template <typename Lanes>
inline Int pair_of(const uint8_t* upper, const uint8_t* lower, Lanes lanes) {
  return load(upper, lanes) | (load(lower, lanes) << 16);
}
template <typename Lanes>
inline Int pair_of(const int8_t* upper, const int8_t* lower, Lanes lanes) {
  return (load(upper, lanes) & 0xFFFF) | (load(lower, lanes) << 16);
}

template <typename Code>
void pair_rows(const PairJob& job, const Code* upper, const Code* lower, int32_t* out) {
  const uint32_t half = static_cast<uint16_t>(job.zero_point);
  const Int zero = splat(static_cast<int32_t>(half << 16 | half));
  for (int64_t p = 0; p < job.pixels; ++p) {
    for_each_vector(job.channels, [&](int64_t c, auto lanes) {
      store(out + c, subtract_pairs(pair_of(upper + c, lower + c, lanes), zero), lanes);
    });
    upper += job.upper_stride;
    lower += job.lower_stride;
    out += job.out_stride;
  }
}

}  // namespace

void fill_int8(KernelTable& table) {
  table.int8 = {kLanes,        compute<Dense>,     compute<Depthwise>, widen<uint8_t>,
                widen<int8_t>, pair_rows<uint8_t>, pair_rows<int8_t>};
}

}  // namespace cleave::exec::simd::CLEAVE_SIMD_ISA
