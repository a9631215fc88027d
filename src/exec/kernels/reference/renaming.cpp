#include <algorithm>
#include <cstring>
#include <vector>

#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"

namespace cleave::exec::reference {
namespace {

/// Reshape's rule: 0 keeps the dimension (unless allowzero), one -1 takes what is left.
Shape reshaped(const KernelCall& call, Shape shape) {
  const Shape& from = call.in(0).shape;
  const bool zero_is_zero = call.node.integer("allowzero", 0) != 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && !zero_is_zero && i < from.size()) shape[i] = from[i];
  }
  const auto open = std::find(shape.begin(), shape.end(), -1);
  if (open == shape.end()) return checked_sizes(call, shape);
  *open = 1;
  const std::int64_t others = element_count(checked_sizes(call, shape));
  *open = others == 0 ? 0 : call.in(0).elements() / others;
  return shape;
}

std::vector<bool> marked_axes(const InputView& axes, std::size_t rank) {
  std::vector<bool> marked(rank, false);
  for (const std::int64_t axis : integers_of(axes)) marked[axis_index(axis, rank)] = true;
  return marked;
}

Shape squeezed(const KernelCall& call) {
  const Shape& from = call.in(0).shape;
  const std::vector<bool> dropped = marked_axes(call.in(1), from.size());
  Shape shape;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (dropped[i] && from[i] != 1) throw bad_value(call, "axis " + std::to_string(i) + " is not 1 wide");
    if (!dropped[i]) shape.push_back(from[i]);
  }
  return shape;
}

Shape unsqueezed(const KernelCall& call) {
  const Shape& from = call.in(0).shape;
  const std::vector<bool> added =
      marked_axes(call.in(1), from.size() + static_cast<std::size_t>(call.in(1).elements()));
  if (std::count(added.begin(), added.end(), true) != call.in(1).elements()) throw bad_value(call, "an axis twice");
  Shape shape;
  auto next = from.begin();
  for (const bool one : added) shape.push_back(one ? 1 : *next++);
  return shape;
}

}  // namespace

void rename(const KernelCall& call) {
  if (call.in(1).present()) {
    if (call.node.op == "Reshape") require_shape(call, reshaped(call, integers_of(call.in(1))));
    if (call.node.op == "Squeeze") require_shape(call, squeezed(call));
    if (call.node.op == "Unsqueeze") require_shape(call, unsqueezed(call));
  }
  copy(call);
}

void copy(const KernelCall& call) {
  if (call.in(0).elements() != call.out().elements()) require_shape(call, call.in(0).shape);
  const std::size_t bytes = static_cast<std::size_t>(call.out().elements()) * dtype_bytes(call.out().dtype);
  if (bytes > 0) std::memcpy(call.out().data, call.in(0).data, bytes);
}

}  // namespace cleave::exec::reference
