#include "graph/fold/call.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "graph/fold/evaluate.h"

namespace cleave::graph::fold {

void Call::fail(const std::string& what) const {
  throw Error(ErrorKind::kInvalidInput, "node '" + node.name + "' (" + node.op + "): " + what);
}

const Tensor& Call::need(std::size_t i) const {
  const Tensor* value = input(i);
  if (value == nullptr) fail("input " + std::to_string(i) + " is missing");
  return *value;
}

std::optional<std::vector<std::int64_t>> Call::list(std::size_t i, const std::string& attribute) const {
  if (node.has(attribute)) return node.integers(attribute);
  if (const Tensor* value = input(i)) {
    auto integers = integers_of(*value);
    if (!integers) fail("input " + std::to_string(i) + " holds no integers");
    return integers;
  }
  return std::nullopt;
}

std::size_t Call::axis(std::int64_t value, std::size_t rank) const {
  const auto limit = static_cast<std::int64_t>(rank);
  if (value < -limit || value >= limit) {
    fail("axis " + std::to_string(value) + " does not exist in " + std::to_string(rank) + " dimensions");
  }
  return static_cast<std::size_t>(value < 0 ? value + limit : value);
}

bool Call::affordable(const Shape& shape) const {
  std::int64_t limit = kMostFoldedElements;
  for (const Tensor* tensor : in) {
    if (tensor != nullptr) limit = std::max(limit, tensor->elements());
  }
  return element_count(shape) <= limit;
}

std::optional<std::vector<std::int64_t>> integers_of(const Tensor& tensor) {
  if (tensor.dtype() == DType::kInt64) {
    const auto values = tensor.data<std::int64_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }
  if (tensor.dtype() == DType::kInt32) {
    const auto values = tensor.data<std::int32_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }
  return std::nullopt;
}

View whole(const Shape& shape) {
  View view{shape, 0, std::vector<std::int64_t>(shape.size(), 1)};
  for (std::size_t i = shape.size(); i > 1; --i) view.strides[i - 2] = view.strides[i - 1] * shape[i - 1];
  return view;
}

View stretched(const Call& call, View view, const Shape& shape) {
  if (view.shape.size() > shape.size())
    call.fail(shape_text(view.shape) + " does not broadcast to " + shape_text(shape));
  const std::size_t missing = shape.size() - view.shape.size();
  View wide{shape, view.offset, std::vector<std::int64_t>(shape.size(), 0)};
  for (std::size_t i = 0; i < view.shape.size(); ++i) {
    if (view.shape[i] == 1) continue;
    if (view.shape[i] != shape[i + missing]) {
      call.fail(shape_text(view.shape) + " does not broadcast to " + shape_text(shape));
    }
    wide.strides[i + missing] = view.strides[i];
  }
  return wide;
}

Shape broadcast_shape(const Call& call, const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape result = longer;
  const std::size_t missing = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    std::int64_t& dimension = result[i + missing];
    if (dimension == 1) dimension = shorter[i];
    if (shorter[i] != 1 && shorter[i] != dimension) {
      call.fail(shape_text(a) + " and " + shape_text(b) + " do not broadcast");
    }
  }
  return result;
}

Tensor copy_view(const Tensor& tensor, const View& view) {
  Tensor result(tensor.dtype(), view.shape);
  const std::size_t width = dtype_bytes(tensor.dtype());
  const std::byte* source = tensor.raw().data();
  std::byte* target = result.mutable_raw().data();
  std::vector<std::int64_t> position(view.shape.size(), 0);
  std::int64_t at = view.offset;
  for (std::int64_t i = 0; i < result.elements(); ++i) {
    std::memcpy(target + static_cast<std::size_t>(i) * width, source + static_cast<std::size_t>(at) * width, width);
    for (std::size_t axis = view.shape.size(); axis-- > 0;) {
      at += view.strides[axis];
      if (++position[axis] < view.shape[axis]) break;
      at -= view.strides[axis] * view.shape[axis];
      position[axis] = 0;
    }
  }
  return result;
}

}  // namespace cleave::graph::fold
