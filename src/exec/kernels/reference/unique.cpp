#include <algorithm>
#include <numeric>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"

namespace cleave::exec::reference {
namespace {

/// A tensor as a row of slices along one axis: element j of slice i stands at (j / inner * count + i) * inner + j %
/// inner.
struct Slices {
  std::int64_t count = 0;
  std::int64_t inner = 1;
  std::int64_t elements = 1;  ///< of one slice

  std::int64_t offset(std::int64_t slice, std::int64_t j) const {
    return (j / inner * count + slice) * inner + j % inner;
  }
};

Slices slices_of(const Shape& shape, std::size_t axis) {
  const auto after = shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1;
  Slices s;
  s.count = shape[axis];
  s.inner = element_count(Shape(after, shape.end()));
  s.elements = element_count(Shape(shape.begin(), after - 1)) * s.inner;
  return s;
}

/// -1, 0 or 1. NaNs are alike and come last, so that there is one order of all values.
template <typename T>
int compare_values(T left, T right) {
  const bool left_nan = left != left;
  const bool right_nan = right != right;
  if (left_nan || right_nan) return static_cast<int>(left_nan) - static_cast<int>(right_nan);
  return static_cast<int>(right < left) - static_cast<int>(left < right);
}

template <typename T>
int compare_slices(const T* x, const Slices& s, std::int64_t a, std::int64_t b) {
  for (std::int64_t j = 0; j < s.elements; ++j) {
    const int order = compare_values(x[s.offset(a, j)], x[s.offset(b, j)]);
    if (order != 0) return order;
  }
  return 0;
}

/// Slices of equal content as one class.
struct Classes {
  std::vector<std::int64_t> first;    ///< by class: the first slice of it
  std::vector<std::int64_t> inverse;  ///< by slice: its class
  std::vector<std::int64_t> counts;   ///< by class
};

/// Classes in the order of their contents, or of their first slices.
template <typename T>
Classes classify(const T* x, const Slices& s, bool sorted) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(s.count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return compare_slices(x, s, a, b) < 0; });
  std::vector<std::int64_t> head(order.size());  // by slice: the first slice like it
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool same = i > 0 && compare_slices(x, s, order[i - 1], order[i]) == 0;
    head[static_cast<std::size_t>(order[i])] = same ? head[static_cast<std::size_t>(order[i - 1])] : order[i];
  }
  if (!sorted) std::iota(order.begin(), order.end(), std::int64_t{0});
  Classes classes;
  classes.inverse.resize(order.size());
  std::vector<std::int64_t> number(order.size());  // by first slice: its class
  for (const std::int64_t slice : order) {
    if (head[static_cast<std::size_t>(slice)] != slice) continue;
    number[static_cast<std::size_t>(slice)] = static_cast<std::int64_t>(classes.first.size());
    classes.first.push_back(slice);
  }
  classes.counts.resize(classes.first.size());
  for (std::size_t i = 0; i < head.size(); ++i) {
    classes.inverse[i] = number[static_cast<std::size_t>(head[i])];
    ++classes.counts[static_cast<std::size_t>(classes.inverse[i])];
  }
  return classes;
}

template <typename T>
void copy_slices(const T* x, const Slices& from, const std::vector<std::int64_t>& chosen, T* y) {
  Slices to = from;
  to.count = static_cast<std::int64_t>(chosen.size());
  for (std::int64_t i = 0; i < to.count; ++i) {
    for (std::int64_t j = 0; j < to.elements; ++j) {
      y[to.offset(i, j)] = x[from.offset(chosen[static_cast<std::size_t>(i)], j)];
    }
  }
}

Tensor list_of(const std::vector<std::int64_t>& values) {
  return Tensor::from<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}

template <typename T>
std::vector<Tensor> unique_typed(const KernelCall& call) {
  const InputView& in = call.in(0);
  // Without an axis the tensor counts as flat.
  Shape shape = call.node.has("axis") ? in.shape : Shape{in.elements()};
  const std::size_t axis = axis_index(call.node.integer("axis", 0), shape.size());
  const Slices slices = slices_of(shape, axis);
  const Classes classes = classify(in.as<T>(), slices, call.node.integer("sorted", 1) != 0);
  shape[axis] = static_cast<std::int64_t>(classes.first.size());
  Tensor values(in.dtype, shape);
  copy_slices(in.as<T>(), slices, classes.first, values.mutable_data<T>().data());
  std::vector<Tensor> results = {values, list_of(classes.first), list_of(classes.inverse), list_of(classes.counts)};
  results.resize(call.node.outputs.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (call.node.outputs[i] == graph::TensorId::kNone) results[i] = Tensor();
  }
  return results;
}

}  // namespace

std::vector<Tensor> unique(const KernelCall& call) {
  std::vector<Tensor> results;
  dispatch<float, double, std::int32_t, std::int64_t, std::uint8_t, std::int8_t, bool, std::uint16_t, std::int16_t,
           std::uint32_t, std::uint64_t>(call.in(0).dtype,
                                         [&](auto tag) { results = unique_typed<typename decltype(tag)::type>(call); });
  return results;
}

}  // namespace cleave::exec::reference
