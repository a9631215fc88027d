// Operators that go along one axis and keep the shape.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"

namespace cleave::exec::reference {
namespace {

/// A plain tensor as [outer, count, inner] around one axis.
struct AxisView {
  std::int64_t outer = 1;
  std::int64_t count = 1;
  std::int64_t inner = 1;
};

AxisView around(const Shape& shape, std::size_t axis) {
  const auto at = shape.begin() + static_cast<std::ptrdiff_t>(axis);
  return {element_count(Shape(shape.begin(), at)), *at, element_count(Shape(at + 1, shape.end()))};
}

/// Calls body(first offset, step) for each line along the axis.
template <typename Body>
void for_each_line(const AxisView& view, Body&& body) {
  for (std::int64_t o = 0; o < view.outer; ++o) {
    for (std::int64_t i = 0; i < view.inner; ++i) body(o * view.count * view.inner + i, view.inner);
  }
}

}  // namespace

void cumulative_sum(const KernelCall& call) {
  const Shape& shape = call.in(0).shape;
  const std::size_t axis = axis_index(integers_of(call.in(1)).at(0), shape.size());
  const bool exclusive = call.node.integer("exclusive", 0) != 0;
  const bool reverse = call.node.integer("reverse", 0) != 0;
  const AxisView view = around(shape, axis);
  dispatch_number(call.in(0).dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for_each_line(view, [&](std::int64_t first, std::int64_t step) {
      T sum = 0;
      for (std::int64_t k = 0; k < view.count; ++k) {
        const std::int64_t at = first + (reverse ? view.count - 1 - k : k) * step;
        const T next = static_cast<T>(sum + call.in(0).as<T>()[at]);
        call.out().as<T>()[at] = exclusive ? sum : next;
        sum = next;
      }
    });
  });
}

void hardmax(const KernelCall& call) {
  const Shape& shape = call.in(0).shape;
  const AxisView view = around(shape, axis_index(call.node.integer("axis", -1), shape.size()));
  dispatch<float, double>(call.in(0).dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* x = call.in(0).as<T>();
    T* y = call.out().as<T>();
    std::fill_n(y, call.out().elements(), T(0));
    for_each_line(view, [&](std::int64_t first, std::int64_t step) {
      std::int64_t best = first;
      for (std::int64_t k = 1; k < view.count; ++k) {
        if (x[first + k * step] > x[best]) best = first + k * step;
      }
      if (view.count > 0) y[best] = T(1);
    });
  });
}

void reverse_sequence(const KernelCall& call) {
  const InputView& in = call.in(0);
  const std::size_t batch = axis_index(call.node.integer("batch_axis", 1), in.shape.size());
  const std::size_t time = axis_index(call.node.integer("time_axis", 0), in.shape.size());
  const auto lengths = integers_of(call.in(1));
  if (batch == time || static_cast<std::int64_t>(lengths.size()) != in.shape[batch]) {
    throw bad_value(call, "one length per batch element is needed");
  }
  for (const std::int64_t length : lengths) {
    if (length < 0 || length > in.shape[time]) throw bad_value(call, "a length of " + std::to_string(length));
  }
  const std::size_t bytes = dtype_bytes(in.dtype);
  for (std::int64_t i = 0; i < in.elements(); ++i) {
    const std::int64_t length = lengths[static_cast<std::size_t>(i / in.strides[batch] % in.shape[batch])];
    const std::int64_t t = i / in.strides[time] % in.shape[time];
    const std::int64_t from = t < length ? i + (length - 1 - 2 * t) * in.strides[time] : i;
    std::memcpy(call.out().data + static_cast<std::size_t>(i) * bytes, in.data + static_cast<std::size_t>(from) * bytes,
                bytes);
  }
}

void lp_normalization(const KernelCall& call) {
  const Shape& shape = call.in(0).shape;
  const AxisView view = around(shape, axis_index(call.node.integer("axis", -1), shape.size()));
  const bool absolute = call.node.integer("p", 2) == 1;
  dispatch<float, double>(call.in(0).dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* x = call.in(0).as<T>();
    T* y = call.out().as<T>();
    for_each_line(view, [&](std::int64_t first, std::int64_t step) {
      double sum = 0;
      for (std::int64_t k = 0; k < view.count; ++k) {
        const auto value = static_cast<double>(x[first + k * step]);
        sum += absolute ? std::abs(value) : value * value;
      }
      const double norm = absolute ? sum : std::sqrt(sum);
      for (std::int64_t k = 0; k < view.count; ++k) {
        const auto value = static_cast<double>(x[first + k * step]);
        y[first + k * step] = norm == 0 ? T(0) : static_cast<T>(value / norm);
      }
    });
  });
}

}  // namespace cleave::exec::reference
