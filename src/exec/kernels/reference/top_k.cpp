#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"

namespace cleave::exec::reference {
namespace {

/// A strict order of all values: NaN counts as larger than every number, as in ONNX Runtime's largest-first order.
template <typename T>
bool is_larger(T a, T b) {
  if (a != a || b != b) return a != a && b == b;
  return a > b;
}

/// One row of the axis: element i stands at start + i * step.
struct Row {
  std::int64_t start = 0;
  std::int64_t step = 1;
};

/// The k first of a row; equal values in the order of their positions.
template <typename T>
std::vector<std::int64_t> first_of(const T* x, const Row& row, std::int64_t dim, std::int64_t k, bool largest) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(dim));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const auto before = [&](std::int64_t a, std::int64_t b) {
    const T left = x[row.start + a * row.step];
    const T right = x[row.start + b * row.step];
    if (largest ? is_larger(left, right) : is_larger(right, left)) return true;
    if (largest ? is_larger(right, left) : is_larger(left, right)) return false;
    return a < b;
  };
  std::partial_sort(order.begin(), order.begin() + k, order.end(), before);
  order.resize(static_cast<std::size_t>(k));
  return order;
}

template <typename T>
void top_k_typed(const KernelCall& call, std::size_t axis, std::int64_t k) {
  const InputView& in = call.in(0);
  const std::int64_t dim = in.shape[axis];
  const std::int64_t inner = in.strides[axis];
  const bool largest = call.node.integer("largest", 1) != 0;
  const std::int64_t rows = dim == 0 ? 0 : in.elements() / dim;
  for (std::int64_t r = 0; r < rows; ++r) {
    const Row row{r / inner * dim * inner + r % inner, inner};
    const auto order = first_of(in.as<T>(), row, dim, k, largest);
    std::int64_t target = r / inner * k * inner + r % inner;
    for (const std::int64_t from : order) {
      if (call.out(0).present()) call.out(0).as<T>()[target] = in.as<T>()[row.start + from * inner];
      if (call.outputs.size() > 1 && call.out(1).present()) call.out(1).as<std::int64_t>()[target] = from;
      target += inner;
    }
  }
}

}  // namespace

void top_k(const KernelCall& call) {
  const InputView& in = call.in(0);
  const std::size_t axis = axis_index(call.node.integer("axis", -1), in.shape.size());
  const OutputView& made = call.out(0).present() ? call.out(0) : call.out(1);
  const std::int64_t k = *call.in(1).as<std::int64_t>();
  if (k < 0 || k > in.shape[axis] || k != made.shape[axis]) {
    throw Error(ErrorKind::kInvalidInput, "node '" + call.node.name + "': k is " + std::to_string(k) +
                                              " for an axis of size " + std::to_string(in.shape[axis]) +
                                              " and a result of size " + std::to_string(made.shape[axis]));
  }
  dispatch<float, double, std::int32_t, std::int64_t, std::uint8_t, std::int8_t, std::uint16_t, std::int16_t,
           std::uint32_t, std::uint64_t>(in.dtype,
                                         [&](auto tag) { top_k_typed<typename decltype(tag)::type>(call, axis, k); });
}

}  // namespace cleave::exec::reference
