#include <vector>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/reference/matrix_product.h"
#include "exec/kernels/walk.h"

namespace cleave::exec::reference {
namespace {

template <typename T>
std::vector<T> transposed(const T* data, std::int64_t rows, std::int64_t columns) {
  std::vector<T> result(static_cast<std::size_t>(rows * columns));
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) result[static_cast<std::size_t>(j * rows + i)] = data[i * columns + j];
  }
  return result;
}

template <typename T>
void start_with_bias(const KernelCall& call) {
  const OutputView& out = call.out();
  const InputView& bias = call.in(2);
  T* y = out.as<T>();
  if (!bias.present()) {
    std::fill_n(y, out.elements(), T(0));
    return;
  }
  const auto beta = static_cast<T>(call.node.number("beta", 1.0f));
  walk_rows<2>(out.shape, {out.strides, broadcast_strides(bias.shape, bias.strides, out.shape)},
               [&](const Offsets<2>& at, std::int64_t count, const Offsets<2>& step) {
                 for (std::int64_t i = 0; i < count; ++i) {
                   y[at[0] + i * step[0]] = static_cast<T>(beta * bias.as<T>()[at[1] + i * step[1]]);
                 }
               });
}

template <typename T>
void gemm_typed(const KernelCall& call) {
  start_with_bias<T>(call);
  const bool trans_a = call.node.integer("transA", 0) != 0;
  const bool trans_b = call.node.integer("transB", 0) != 0;
  const std::int64_t m = call.out().shape[0];
  const std::int64_t n = call.out().shape[1];
  const std::int64_t k = call.in(0).shape[trans_a ? 0 : 1];
  const T* b = call.in(1).as<T>();
  std::vector<T> turned;
  if (trans_b) {
    turned = transposed(b, n, k);
    b = turned.data();
  }
  multiply_add(m, n, k, static_cast<T>(call.node.number("alpha", 1.0f)), call.in(0).as<T>(), trans_a ? 1 : k,
               trans_a ? m : 1, b, call.out().as<T>());
}

}  // namespace

Shape as_matrix(Shape shape, bool right) {
  if (shape.size() == 1) shape.insert(right ? shape.end() : shape.begin(), 1);
  return shape;
}

DimList batch_strides(const Shape& matrix, const Shape& batch) {
  const Shape own(matrix.begin(), matrix.end() - 2);
  Strides strides = strides_of(own, Layout::kPlain);
  for (auto& stride : strides) stride *= matrix[matrix.size() - 2] * matrix[matrix.size() - 1];
  return broadcast_strides(own, strides, batch);
}

Shape batch_shape(const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape batch(longer.begin(), longer.end() - 2);
  const std::size_t missing = longer.size() - shorter.size();
  for (std::size_t i = 0; i + 2 < shorter.size(); ++i) {
    if (batch[missing + i] == 1) batch[missing + i] = shorter[i];
  }
  return batch;
}

void gemm(const KernelCall& call) {
  dispatch_number(call.out().dtype, [&](auto tag) { gemm_typed<typename decltype(tag)::type>(call); });
}

void matmul(const KernelCall& call) {
  dispatch_number(call.out().dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    matrix_product(call.in(0).shape, call.in(0).as<T>(), call.in(1).shape, call.in(1).as<T>(), call.out().as<T>());
  });
}

}  // namespace cleave::exec::reference
