#include "exec/kernels/simd/compiled_per_isa.h"
#include "exec/kernels/simd/vector.h"

namespace cleave::exec::simd::CLEAVE_SIMD_ISA {
namespace {

constexpr int kTile = 6;
constexpr float kA = kWinogradNear;
constexpr float kB = kWinogradFar;

/// y = B^T d for one column of six values. The rows of B^T are the coefficients of the polynomials that vanish at all
/// points but their own; those of +p and -p differ in the sign of their odd part.
inline void input_column(const Float d[kTile], Float y[kTile]) {
  const Float a2 = splat(-kA * kA);
  const Float b2 = splat(-kB * kB);
  const Float both = splat(-(kA * kA + kB * kB));
  const Float product = splat(kA * kA * kB * kB);
  const Float even_a = multiply_add(b2, d[2], d[4]);
  const Float odd_a = splat(kA) * multiply_add(b2, d[1], d[3]);
  const Float even_b = multiply_add(a2, d[2], d[4]);
  const Float odd_b = splat(kB) * multiply_add(a2, d[1], d[3]);
  y[0] = multiply_add(product, d[0], multiply_add(both, d[2], d[4]));
  y[1] = even_a + odd_a;
  y[2] = even_a - odd_a;
  y[3] = even_b + odd_b;
  y[4] = even_b - odd_b;
  y[5] = multiply_add(product, d[1], multiply_add(both, d[3], d[5]));
}

/// y = A^T m for one column of six values: the powers 0 to 3 of the points.
inline void output_column(const Float m[kTile], Float y[4]) {
  const Float sum_a = m[1] + m[2];
  const Float difference_a = m[1] - m[2];
  const Float sum_b = m[3] + m[4];
  const Float difference_b = m[3] - m[4];
  y[0] = m[0] + sum_a + sum_b;
  y[1] = multiply_add(splat(kB), difference_b, splat(kA) * difference_a);
  y[2] = multiply_add(splat(kB * kB), sum_b, splat(kA * kA) * sum_a);
  y[3] = multiply_add(splat(kB * kB * kB), difference_b, multiply_add(splat(kA * kA * kA), difference_a, m[5]));
}

void transform_input(const float* const* pixels, int64_t channels, float* transformed, int64_t stride) {
  for_each_vector(channels, [&](int64_t c, auto lanes) {
    Float columns[kTile][kTile];  // [column][row]
    for (int x = 0; x < kTile; ++x) {
      Float d[kTile];
      for (int y = 0; y < kTile; ++y) d[y] = load(pixels[y * kTile + x] + c, lanes);
      input_column(d, columns[x]);
    }
    for (int y = 0; y < kTile; ++y) {
      Float d[kTile];
      Float row[kTile];
      for (int x = 0; x < kTile; ++x) d[x] = columns[x][y];
      input_column(d, row);
      for (int x = 0; x < kTile; ++x) store(transformed + (y * kTile + x) * stride + c, row[x], lanes);
    }
  });
}

inline Float within(Float x, const Bounds& bounds) {
  return bounds.clamps ? clamp(x, splat(bounds.low), splat(bounds.high)) : x;
}

void transform_output(const float* products, int64_t stride, int64_t channels, const WinogradTarget& target) {
  for_each_vector(channels, [&](int64_t c, auto lanes) {
    Float columns[kTile][4];  // [column][row]
    for (int x = 0; x < kTile; ++x) {
      Float m[kTile];
      for (int y = 0; y < kTile; ++y) m[y] = load(products + (y * kTile + x) * stride + c, Full{});
      output_column(m, columns[x]);
    }
    const Float bias = target.bias == nullptr ? splat(0.0F) : load(target.bias + c, lanes);
    for (int y = 0; y < target.rows; ++y) {
      Float m[kTile];
      Float row[4];
      for (int x = 0; x < kTile; ++x) m[x] = columns[x][y];
      output_column(m, row);
      for (int x = 0; x < target.columns; ++x) {
        const int64_t at = y * target.row_stride + x * channels + c;
        Float value = within(row[x] + bias, target.first);
        if (target.addend != nullptr) value = within(value + load(target.addend + at, lanes), target.last);
        store(target.y + at, value, lanes);
      }
    }
  });
}

}  // namespace

void fill_winograd(KernelTable& table) {
  table.winograd.transform_input = transform_input;
  table.winograd.transform_output = transform_output;
}

}  // namespace cleave::exec::simd::CLEAVE_SIMD_ISA
