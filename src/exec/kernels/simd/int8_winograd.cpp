#include "exec/kernels/simd/compiled_per_isa.h"
#include "exec/kernels/simd/int8_epilogue.h"

namespace cleave::exec::simd::CLEAVE_SIMD_ISA {
namespace {

constexpr int kPatch = 4;  ///< pixels of the source along each side of a tile
constexpr int kTile = 2;   ///< of the result
constexpr int kWords = 2 * kLanes;

typedef int16_t Words __attribute__((vector_size(2 * kWords)));
typedef uint32_t Unsigned __attribute__((vector_size(4 * kLanes)));

template <typename Code>
struct CodesOfWords;
template <>
struct CodesOfWords<uint8_t> {
  typedef uint8_t Type __attribute__((vector_size(kWords)));
};
template <>
struct CodesOfWords<int8_t> {
  typedef int8_t Type __attribute__((vector_size(kWords)));
};

template <typename Code>
CLEAVE_INLINE Words load_words(const Code* p, int64_t count) {
  typename CodesOfWords<Code>::Type codes{};
  if (count >= kWords) {
    __builtin_memcpy(&codes, p, kWords);
  } else {
    for (int64_t i = 0; i < count; ++i) codes[i] = p[i];
  }
  return __builtin_convertvector(codes, Words);
}

CLEAVE_INLINE void store_words(int16_t* p, Words v, int64_t count) {
  if (count >= kWords) {
    __builtin_memcpy(p, &v, sizeof v);
  } else {
    for (int64_t i = 0; i < count; ++i) p[i] = v[i];
  }
}

/// y = B^T d for one column.
CLEAVE_INLINE void input_column(const Words d[kPatch], Words y[kPatch]) {
  y[0] = d[0] - d[2];
  y[1] = d[1] + d[2];
  y[2] = d[2] - d[1];
  y[3] = d[1] - d[3];
}

template <typename Code>
void transform(const Code* const* pixels, int64_t channels, int16_t* transformed, int64_t stride) {
  for (int64_t c = 0; c < channels; c += kWords) {
    Words columns[kPatch][kPatch];  // [column][row]
#pragma GCC unroll 4
    for (int x = 0; x < kPatch; ++x) {
      Words d[kPatch];
#pragma GCC unroll 4
      for (int y = 0; y < kPatch; ++y) d[y] = load_words(pixels[y * kPatch + x] + c, channels - c);
      input_column(d, columns[x]);
    }
#pragma GCC unroll 4
    for (int y = 0; y < kPatch; ++y) {
      const Words d[kPatch] = {columns[0][y], columns[1][y], columns[2][y], columns[3][y]};
      Words row[kPatch];
      input_column(d, row);
#pragma GCC unroll 4
      for (int x = 0; x < kPatch; ++x) {
        store_words(transformed + (y * kPatch + x) * stride + c, row[x], channels - c);
      }
    }
  }
}

/// y = A^T m for one column, modulo 2^32: only the last sums are sure to fit.
CLEAVE_INLINE void output_column(const Unsigned m[kPatch], Unsigned y[kTile]) {
  y[0] = m[0] + m[1] + m[2];
  y[1] = m[1] - m[2] - m[3];
}

CLEAVE_INLINE Int quarter(Unsigned sum) {
  return reinterpret_cast<Int>(sum) >> 2;
}

/// One strip of one tile: sums[row][column].
CLEAVE_INLINE void sum_strip(const int32_t* products, int64_t stride, Int bias, Int sums[kTile][kTile]) {
  Unsigned columns[kPatch][kTile];  // [column][row]
#pragma GCC unroll 4
  for (int x = 0; x < kPatch; ++x) {
    Unsigned m[kPatch];
#pragma GCC unroll 4
    for (int y = 0; y < kPatch; ++y) {
      m[y] = reinterpret_cast<Unsigned>(load(products + (y * kPatch + x) * stride, Full{}));
    }
    output_column(m, columns[x]);
  }
#pragma GCC unroll 2
  for (int y = 0; y < kTile; ++y) {
    const Unsigned m[kPatch] = {columns[0][y], columns[1][y], columns[2][y], columns[3][y]};
    Unsigned row[kTile];
    output_column(m, row);
#pragma GCC unroll 2
    for (int x = 0; x < kTile; ++x) sums[y][x] = quarter(row[x]) + bias;
  }
}

/// All tiles for kS strips of channels.
template <int kS>
void finish_strips(const WinogradSums& job, int64_t channel) {
  const Epilogue<kS> epilogue(job.target, channel);
  const int64_t stride = job.tiles * job.channel_stride;
  for (int64_t t = 0; t < job.tiles; ++t) {
    const int32_t* products = job.products + t * job.channel_stride + channel;
    Tile<Int, kTile, kS> rows[kTile];
#pragma GCC unroll 2
    for (int s = 0; s < kS; ++s) {
      Int sums[kTile][kTile];
      sum_strip(products + s * kLanes, stride, load(job.target.bias + channel + s * kLanes, Full{}), sums);
#pragma GCC unroll 2
      for (int y = 0; y < kTile; ++y) {
#pragma GCC unroll 2
        for (int x = 0; x < kTile; ++x) rows[y].sums[x][s] = sums[y][x];
      }
    }
    const TilePlace& place = job.places[t];
#pragma GCC unroll 2
    for (int y = 0; y < kTile; ++y) {
      if (y < place.rows) finish_tile(epilogue, rows[y], place.pixel + y * job.row_pixels, place.columns);
    }
  }
}

void winograd_sums(const WinogradSums& job) {
  int64_t c = 0;
  for (; c + kLanes < job.target.channels; c += 2 * kLanes) finish_strips<2>(job, c);
  if (c < job.target.channels) finish_strips<1>(job, c);
}

}  // namespace

void fill_int8_winograd(KernelTable& table) {
  table.int8.transform_u8 = transform<uint8_t>;
  table.int8.transform_s8 = transform<int8_t>;
  table.int8.winograd_sums = winograd_sums;
}

}  // namespace cleave::exec::simd::CLEAVE_SIMD_ISA
