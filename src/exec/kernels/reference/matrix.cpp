// Operators on stacks of matrices: the last two dimensions are rows and columns.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"

namespace cleave::exec::reference {
namespace {

/// Gaussian elimination with the largest pivot of each column.
double determinant(std::vector<double> a, std::size_t n) {
  double product = 1;
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k + 1; i < n; ++i) {
      if (std::abs(a[i * n + k]) > std::abs(a[pivot * n + k])) pivot = i;
    }
    if (a[pivot * n + k] == 0) return 0;
    if (pivot != k) {
      std::swap_ranges(a.begin() + static_cast<std::ptrdiff_t>(k * n),
                       a.begin() + static_cast<std::ptrdiff_t>(k * n + n),
                       a.begin() + static_cast<std::ptrdiff_t>(pivot * n));
      product = -product;
    }
    product *= a[k * n + k];
    for (std::size_t i = k + 1; i < n; ++i) {
      const double factor = a[i * n + k] / a[k * n + k];
      for (std::size_t j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
    }
  }
  return product;
}

}  // namespace

void trilu(const KernelCall& call) {
  const InputView& in = call.in(0);
  const std::size_t rank = in.shape.size();
  if (rank < 2) throw bad_value(call, "its input is no matrix");
  const bool upper = call.node.integer("upper", 1) != 0;
  const std::int64_t k = call.in(1).present() ? integers_of(call.in(1)).at(0) : 0;
  const std::int64_t rows = in.shape[rank - 2];
  const std::int64_t columns = in.shape[rank - 1];
  const std::size_t bytes = dtype_bytes(in.dtype);
  for (std::int64_t i = 0; i < in.elements(); ++i) {
    const std::int64_t distance = i % columns - i / columns % rows;
    const bool kept = upper ? distance >= k : distance <= k;
    std::byte* to = call.out().data + static_cast<std::size_t>(i) * bytes;
    if (kept) std::memcpy(to, in.data + static_cast<std::size_t>(i) * bytes, bytes);
    if (!kept) std::memset(to, 0, bytes);
  }
}

void eye_like(const KernelCall& call) {
  const OutputView& out = call.out();
  if (out.shape.size() != 2) throw bad_value(call, "its input is no matrix");
  const std::int64_t k = call.node.integer("k", 0);
  dispatch_value(out.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t i = 0; i < out.elements(); ++i) {
      out.as<T>()[i] = static_cast<T>(i % out.shape[1] - i / out.shape[1] == k);
    }
  });
}

void determinant(const KernelCall& call) {
  const Shape& shape = call.in(0).shape;
  if (shape.size() < 2 || shape.back() != shape[shape.size() - 2])
    throw bad_value(call, "its input is no square matrix");
  const auto n = static_cast<std::size_t>(shape.back());
  dispatch<float, double>(call.in(0).dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t i = 0; i < call.out().elements(); ++i) {
      const T* matrix = call.in(0).as<T>() + static_cast<std::size_t>(i) * n * n;
      call.out().as<T>()[i] = static_cast<T>(determinant(std::vector<double>(matrix, matrix + n * n), n));
    }
  });
}

}  // namespace cleave::exec::reference
