#include "exec/kernels/simd/compiled_per_isa.h"
#include "exec/kernels/simd/vector.h"

namespace cleave::exec::simd::CLEAVE_SIMD_ISA {
namespace {

/// Rows that keep their sums in registers, two vectors each.
#if defined(__AVX512F__)
constexpr int kRows = 12;
#else
constexpr int kRows = 6;
#endif

/// y[r][0 .. Vectors * kLanes) = sum_d x[r][d] w[d] for Rows rows.
template <int Rows, int Vectors>
void multiply_block(const float* x, int64_t depth, const float* w, float* y, int64_t stride) {
  Float sums[Rows][Vectors];
#pragma GCC unroll 12
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) sums[r][v] = splat(0.0F);
  }
  for (int64_t d = 0; d < depth; ++d, w += Vectors * kLanes) {
    Float row[Vectors];
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) row[v] = load(w + v * kLanes, Full{});
#pragma GCC unroll 12
    for (int r = 0; r < Rows; ++r) {
      const Float factor = splat(x[r * depth + d]);
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) sums[r][v] = multiply_add(factor, row[v], sums[r][v]);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) store(y + r * stride + v * kLanes, sums[r][v], Full{});
  }
}

template <int Rows, int Vectors>
void multiply_rows(int rows, const float* x, int64_t depth, const float* w, float* y, int64_t stride) {
  if (rows == Rows) return multiply_block<Rows, Vectors>(x, depth, w, y, stride);
  if constexpr (Rows > 1) multiply_rows<Rows - 1, Vectors>(rows, x, depth, w, y, stride);
}

/// All rows of one panel of columns, in blocks of nearly equal height.
template <int Vectors>
void multiply_panel(const float* x, int64_t rows, int64_t depth, const float* w, float* y, int64_t stride) {
  for (int64_t blocks = (rows + kRows - 1) / kRows; blocks > 0; --blocks) {
    const int64_t height = (rows + blocks - 1) / blocks;
    multiply_rows<kRows, Vectors>(static_cast<int>(height), x, depth, w, y, stride);
    x += height * depth;
    y += height * stride;
    rows -= height;
  }
}

void multiply(const float* x, int64_t rows, int64_t depth, const float* packed, int64_t columns, float* y) {
  for (int64_t c = 0; c < columns;) {
    const bool wide = columns - c > kLanes;
    if (wide) {
      multiply_panel<2>(x, rows, depth, packed + c * depth, y + c, columns);
    } else {
      multiply_panel<1>(x, rows, depth, packed + c * depth, y + c, columns);
    }
    c += wide ? 2 * kLanes : kLanes;
  }
}

}  // namespace

void fill_product(KernelTable& table) {
  table.product.lanes = kLanes;
  table.product.multiply = multiply;
}

}  // namespace cleave::exec::simd::CLEAVE_SIMD_ISA
