#include "exec/control/values.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace cleave::exec {
namespace {

/// Bytes of one run along `axis` and all that follows, and how many runs there are, for a shape with the axis in it.
struct Runs {
  std::size_t inner_bytes;  ///< one slice's bytes in one run
  std::size_t outer;        ///< runs
};

Runs runs_around(const Tensor& slice, std::size_t axis) {
  const Shape& shape = slice.shape();
  const auto middle = shape.begin() + static_cast<std::ptrdiff_t>(axis);
  const std::int64_t inner = element_count(Shape(middle, shape.end()));
  const std::int64_t outer = element_count(Shape(shape.begin(), middle));
  return {static_cast<std::size_t>(inner) * dtype_bytes(slice.dtype()), static_cast<std::size_t>(outer)};
}

}  // namespace

bool condition_of(const Tensor& tensor, const std::string& what) {
  if (tensor.dtype() == DType::kBool && tensor.elements() == 1) return tensor.data<bool>()[0];
  throw Error(ErrorKind::kInvalidInput, what + " is " + std::string(dtype_name(tensor.dtype())) + " " +
                                            shape_text(tensor.shape()) + ", not one boolean");
}

Tensor slice_at(const Tensor& tensor, std::size_t axis, std::int64_t at) {
  Shape shape = tensor.shape();
  const auto length = static_cast<std::size_t>(shape[axis]);
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  Tensor slice(tensor.dtype(), shape);
  const Runs runs = runs_around(slice, axis);
  std::byte* to = slice.mutable_raw().data();
  const std::byte* from = tensor.raw().data() + static_cast<std::size_t>(at) * runs.inner_bytes;
  for (std::size_t o = 0; o < runs.outer && runs.inner_bytes > 0; ++o) {
    std::memcpy(to + o * runs.inner_bytes, from + o * length * runs.inner_bytes, runs.inner_bytes);
  }
  return slice;
}

Tensor stacked(const std::vector<Tensor>& slices, std::size_t axis, const Tensor& like, const std::string& what) {
  const Tensor& first = slices.empty() ? like : slices.front();
  Shape shape = first.shape();
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), static_cast<std::int64_t>(slices.size()));
  Tensor result(first.dtype(), shape);
  const Runs runs = runs_around(first, axis);
  std::byte* to = result.mutable_raw().data();
  for (std::size_t i = 0; i < slices.size(); ++i) {
    if (slices[i].shape() != first.shape() || slices[i].dtype() != first.dtype()) {
      throw Error(ErrorKind::kInvalidInput, what + " is " + shape_text(slices[i].shape()) + " in iteration " +
                                                std::to_string(i) + ", but was " + shape_text(first.shape()));
    }
    for (std::size_t o = 0; o < runs.outer && runs.inner_bytes > 0; ++o) {
      std::memcpy(to + (o * slices.size() + i) * runs.inner_bytes, slices[i].raw().data() + o * runs.inner_bytes,
                  runs.inner_bytes);
    }
  }
  return result;
}

}  // namespace cleave::exec
