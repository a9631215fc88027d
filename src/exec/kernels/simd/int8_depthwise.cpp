#include "exec/kernels/simd/compiled_per_isa.h"
#include "exec/kernels/simd/int8_epilogue.h"

namespace cleave::exec::simd::CLEAVE_SIMD_ISA {
namespace {

// Output pixels times strips held in registers.
constexpr int kPixels = 4;
constexpr int kStrips = 2;

/// Any window.
struct AnyRow {
  template <int kP, int kS>
  static CLEAVE_INLINE void add_up(const DepthwiseJob& job, const float* source, const float* weights, int64_t strip,
                                   Tile<Float, kP, kS>& tile) {
#pragma GCC unroll 1
    for (int64_t t = 0; t < job.row_taps; ++t, weights += kLanes, source += job.tap_stride) {
#pragma GCC unroll 2
      for (int s = 0; s < kS; ++s) {
        const Float w = load(weights + s * strip, Full{});
#pragma GCC unroll 4
        for (int p = 0; p < kP; ++p) {
          tile.sums[p][s] = multiply_add(load(source + p * job.pixel_stride + s * kLanes, Full{}), w, tile.sums[p][s]);
        }
      }
    }
  }
};

/// Three taps side by side, pixels kStride taps apart: a column is loaded once for all pixels that see it.
template <int kStride>
struct SharedColumns {
  template <int kP, int kS>
  static CLEAVE_INLINE void add_up(const DepthwiseJob& job, const float* source, const float* weights, int64_t strip,
                                   Tile<Float, kP, kS>& tile) {
    constexpr int kColumns = (kP - 1) * kStride + 3;
#pragma GCC unroll 2
    for (int s = 0; s < kS; ++s) {
      Float columns[kColumns];
#pragma GCC unroll 9
      for (int x = 0; x < kColumns; ++x) columns[x] = load(source + x * job.tap_stride + s * kLanes, Full{});
#pragma GCC unroll 3
      for (int t = 0; t < 3; ++t) {
        const Float w = load(weights + s * strip + t * kLanes, Full{});
#pragma GCC unroll 4
        for (int p = 0; p < kP; ++p) {
          tile.sums[p][s] = multiply_add(columns[p * kStride + t], w, tile.sums[p][s]);
        }
      }
    }
  }
};

int64_t weights_of_strip(const DepthwiseJob& job) {
  return job.row_count * job.row_taps * kLanes;
}

template <typename Row, int kP, int kS>
CLEAVE_INLINE void compute_tile(const DepthwiseJob& job, const Epilogue<kS>& epilogue, int64_t pixel,
                                const float* weights) {
  const float* source = job.source + pixel * job.pixel_stride + epilogue.channel;
  Int bias[kS];
  Tile<Float, kP, kS> tile;
#pragma GCC unroll 2
  for (int s = 0; s < kS; ++s) {
    bias[s] = load(job.target.bias + epilogue.channel + s * kLanes, Full{});
    const Float start = job.bias_last ? splat(0.0F) : to_float(bias[s]);
#pragma GCC unroll 4
    for (int p = 0; p < kP; ++p) tile.sums[p][s] = start;
  }
#pragma GCC unroll 1  // unrolled, the sums would not stay in registers
  for (int64_t y = 0; y < job.row_count; ++y, weights += job.row_taps * kLanes) {
    Row::add_up(job, source + job.rows[y], weights, weights_of_strip(job), tile);
  }
  if (!job.bias_last) return finish_tile(epilogue, tile, pixel, kP);
  Tile<Int, kP, kS> sums;
#pragma GCC unroll 4
  for (int p = 0; p < kP; ++p) {
#pragma GCC unroll 2
    for (int s = 0; s < kS; ++s) sums.sums[p][s] = round(tile.sums[p][s]) + bias[s];
  }
  finish_tile(epilogue, sums, pixel, kP);
}

/// All pixels for kS strips of channels.
template <typename Row, int kS>
CLEAVE_INLINE void compute_strips(const DepthwiseJob& job, int64_t channel, const float* weights) {
  const Epilogue<kS> epilogue(job.target, channel);
  int64_t p = 0;
  for (; p + kPixels <= job.pixel_count; p += kPixels) compute_tile<Row, kPixels, kS>(job, epilogue, p, weights);
  const int64_t left = job.pixel_count - p;
  if (left >= 2) compute_tile<Row, 2, kS>(job, epilogue, p, weights);
  if (left % 2 == 1) compute_tile<Row, 1, kS>(job, epilogue, job.pixel_count - 1, weights);
}

template <typename Row>
void compute(const DepthwiseJob& job) {
  const int64_t strip = weights_of_strip(job);
  const float* weights = job.weights;
  int64_t c = 0;
  for (; c + kLanes < job.target.channels; c += kStrips * kLanes, weights += kStrips * strip) {
    compute_strips<Row, kStrips>(job, c, weights);
  }
  if (c < job.target.channels) compute_strips<Row, 1>(job, c, weights);
}

void depthwise(const DepthwiseJob& job) {
  if (job.row_taps == 3 && job.pixel_stride == job.tap_stride) return compute<SharedColumns<1>>(job);
  if (job.row_taps == 3 && job.pixel_stride == 2 * job.tap_stride) return compute<SharedColumns<2>>(job);
  compute<AnyRow>(job);
}

template <typename Code, typename Lanes>
inline void convert(const Code* codes, float* out, Lanes lanes) {
  store(out, to_float(load(codes, lanes)), lanes);
}

template <typename Code>
void to_floats(const PixelRun& run, const Code* codes, float* out) {
  for (int64_t p = 0; p < run.pixels; ++p, codes += run.stride, out += run.out_stride) {
    int64_t c = 0;
    for (; c + 4 * kLanes <= run.channels; c += 4 * kLanes) {
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) convert(codes + c + v * kLanes, out + c + v * kLanes, Full{});
    }
    for_each_vector(run.channels - c, [&](int64_t i, auto lanes) { convert(codes + c + i, out + c + i, lanes); });
  }
}

}  // namespace

void fill_int8_depthwise(KernelTable& table) {
  table.int8.depthwise = depthwise;
  table.int8.to_floats_u8 = to_floats<uint8_t>;
  table.int8.to_floats_s8 = to_floats<int8_t>;
}

}  // namespace cleave::exec::simd::CLEAVE_SIMD_ISA
