#pragma once

#include <algorithm>

#include "exec/kernels/kernel.h"
#include "exec/kernels/walk.h"

namespace cleave::exec::reference {

/// C[m][n] += alpha * A[m][k] * B[k][n], rows of B inside so that the inner loop runs over neighbours.
template <typename T>
void multiply_add(std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const T* a, std::int64_t a_row,
                  std::int64_t a_column, const T* b, T* c) {
  constexpr std::int64_t kWorthSharing = 1 << 16;  // multiply-adds
#pragma omp parallel for if (m * n * k > kWorthSharing)
  for (std::int64_t i = 0; i < m; ++i) {
    T* row = c + i * n;
    for (std::int64_t l = 0; l < k; ++l) {
      const T factor = static_cast<T>(alpha * a[i * a_row + l * a_column]);
      const T* b_row = b + l * n;
      for (std::int64_t j = 0; j < n; ++j) row[j] = static_cast<T>(row[j] + factor * b_row[j]);
    }
  }
}

/// Shape with 1 in front (or behind, for a vector on the right) so that it is at least a matrix.
Shape as_matrix(Shape shape, bool right);

/// Strides of the batch dimensions of a matrix stack, in elements.
DimList batch_strides(const Shape& matrix, const Shape& batch);

/// Batch dimensions of the product of two matrix stacks.
Shape batch_shape(const Shape& a, const Shape& b);

/// MatMul of plain stacks of matrices with broadcasting; vectors count as one row or one column.
/// y holds one m x n matrix per batch and is written whole.
template <typename T>
void matrix_product(const Shape& a_shape, const T* a, const Shape& b_shape, const T* b, T* y) {
  const Shape left = as_matrix(a_shape, false);
  const Shape right = as_matrix(b_shape, true);
  const Shape batch = batch_shape(left, right);
  const std::int64_t m = left[left.size() - 2];
  const std::int64_t k = left.back();
  const std::int64_t n = right.back();
  Strides out_strides = strides_of(batch, Layout::kPlain);
  for (auto& stride : out_strides) stride *= m * n;
  std::fill_n(y, element_count(batch) * m * n, T(0));
  walk_rows<3>(batch, {out_strides, batch_strides(left, batch), batch_strides(right, batch)},
               [&](const Offsets<3>& at, std::int64_t count, const Offsets<3>& step) {
                 for (std::int64_t i = 0; i < count; ++i) {
                   multiply_add(m, n, k, T(1), a + at[1] + i * step[1], k, std::int64_t{1}, b + at[2] + i * step[2],
                                y + at[0] + i * step[0]);
                 }
               });
}

}  // namespace cleave::exec::reference
