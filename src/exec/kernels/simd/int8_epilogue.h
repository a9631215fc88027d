#pragma once

#include "exec/kernels/simd/int8_kernels.h"
#include "exec/kernels/simd/rounding.h"

/// A tile stays in registers only where nothing of its making is a call. Builds that look for errors need no speed, and
/// sanitizers take minutes for code that is inlined so often.
#ifdef NDEBUG
#define CLEAVE_INLINE __attribute__((always_inline)) inline
#else
#define CLEAVE_INLINE inline
#endif

/// From a tile of sums in registers to the output. For files that are compiled
/// once per instruction set.
namespace cleave::exec::simd {
namespace {

inline Float to_float(Float v) {
  return v;
}
inline Int to_int(Int v) {
  return v;
}
inline Int to_int(Float v) {
  return round(v);
}

/// Sums as int32 or as floats that are whole numbers.
template <typename Sum, int kP, int kS>
struct Tile {
  Sum sums[kP][kS];  ///< pixels, strips of channels
};

/// What the epilogue needs for kS strips from `channel` on, read once.
template <int kS>
struct Epilogue {
  const SumTarget& target;
  int64_t channel;
  int64_t channels;  ///< from `channel` on
  Float shifts[kS];
  Float scales[kS];
  RoundToCode code_of;
  CodeWriter writer;

  Epilogue(const SumTarget& t, int64_t first)
      : target(t),
        channel(first),
        channels(t.channels - first),
        code_of({t.zero_point, bound(t, t.low), bound(t, t.high)}),
        writer(t.zero_point, bound(t, t.low), bound(t, t.high)) {
    for (int s = 0; s < kS; ++s) {
      shifts[s] = t.shifts == nullptr ? splat(0.0F) : load(t.shifts + first + s * kLanes, Full{});
      scales[s] = t.scales == nullptr ? splat(0.0F) : load(t.scales + first + s * kLanes, Full{});
    }
  }

  static int32_t bound(const SumTarget& t, float x) {
    return t.type == SumOutput::kUint8 || t.type == SumOutput::kInt8 ? static_cast<int32_t>(x) : 0;
  }

  template <typename Sum, typename Lanes>
  CLEAVE_INLINE void store_strip(int32_t* out, Sum sum, int, Lanes lanes) const {
    store(out, to_int(sum), lanes);
  }
  template <typename Sum, typename Lanes>
  CLEAVE_INLINE void store_strip(float* out, Sum sum, int strip, Lanes lanes) const {
    store(out, clamp(value(sum, strip), splat(target.low), splat(target.high)), lanes);
  }
  template <typename Code, typename Sum, typename Lanes>
  CLEAVE_INLINE void store_strip(Code* out, Sum sum, int strip, Lanes lanes) const {
    store(out, code_of(value(sum, strip)), lanes);
  }
  template <typename Sum>
  CLEAVE_INLINE Float value(Sum sum, int strip) const {
    return (to_float(sum) + shifts[strip]) * scales[strip];
  }
};

/// Codes of whole strips, two pixels at a time.
template <bool kShifted, typename Code, typename Sum, int kP>
CLEAVE_INLINE void store_codes(const Epilogue<2>& e, const Tile<Sum, kP, 2>& tile, int64_t pixels, Code* out) {
  const auto value = [&](int p, int s) {
    return kShifted ? e.value(tile.sums[p][s], s) : to_float(tile.sums[p][s]) * e.scales[s];
  };
  const int64_t stride = e.target.out_stride;
#pragma GCC unroll 8
  for (int p = 0; p < kP; p += 2, out += 2 * stride) {
    if (p + 1 < kP && p + 1 < pixels) {
      e.writer.four(out, out + stride, value(p, 0), value(p, 1), value(p + 1, 0), value(p + 1, 1));
    } else if (p < pixels) {
      e.writer.two(out, value(p, 0), value(p, 1));
    }
  }
}

template <typename Out, typename Sum, int kP, int kS>
CLEAVE_INLINE void store_strips(const Epilogue<kS>& e, const Tile<Sum, kP, kS>& tile, int64_t pixels, Out* out) {
#pragma GCC unroll 8
  for (int p = 0; p < kP; ++p) {
    if (p >= pixels) break;
#pragma GCC unroll 2
    for (int s = 0; s < kS; ++s) {
      Out* place = out + p * e.target.out_stride + s * kLanes;
      const int64_t left = e.channels - s * kLanes;
      if (left >= kLanes) {
        e.store_strip(place, tile.sums[p][s], s, Full{});
      } else if (left > 0) {
        e.store_strip(place, tile.sums[p][s], s, Part{static_cast<int>(left)});
      }
    }
  }
}

template <typename Out, typename Sum, int kP, int kS>
CLEAVE_INLINE void store_tile(const Epilogue<kS>& e, const Tile<Sum, kP, kS>& tile, int64_t pixel, int64_t pixels) {
  Out* out = static_cast<Out*>(e.target.out) + pixel * e.target.out_stride + e.channel;
  if constexpr (kS == 2 && sizeof(Out) == 1) {
    if (e.channels >= kS * kLanes) {
      if (e.target.shifts != nullptr) return store_codes<true>(e, tile, pixels, out);
      return store_codes<false>(e, tile, pixels, out);
    }
  }
  store_strips(e, tile, pixels, out);
}

/// Stores the tile that begins at `pixel`, `pixels` of it.
template <typename Sum, int kP, int kS>
CLEAVE_INLINE void finish_tile(const Epilogue<kS>& e, const Tile<Sum, kP, kS>& tile, int64_t pixel, int64_t pixels) {
  switch (e.target.type) {
    case SumOutput::kInt32:
      return store_tile<int32_t>(e, tile, pixel, pixels);
    case SumOutput::kFloat:
      return store_tile<float>(e, tile, pixel, pixels);
    case SumOutput::kUint8:
      return store_tile<uint8_t>(e, tile, pixel, pixels);
    case SumOutput::kInt8:
      return store_tile<int8_t>(e, tile, pixel, pixels);
  }
}

}  // namespace
}  // namespace cleave::exec::simd
