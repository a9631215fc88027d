#include <cstring>

#include "core/error.h"
#include "exec/kernels/reference/kernels.h"

namespace cleave::exec::reference {
namespace {

/// Positions along the axis that the condition keeps. A condition shorter than the axis drops the rest.
std::vector<std::int64_t> kept_positions(const KernelCall& call, std::int64_t dim) {
  const InputView& condition = call.in(1);
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < condition.elements(); ++i) {
    if (!condition.as<bool>()[i]) continue;
    if (i >= dim) {
      throw Error(ErrorKind::kInvalidInput, "node '" + call.node.name + "': the condition keeps position " +
                                                std::to_string(i) + " of an axis of size " + std::to_string(dim));
    }
    kept.push_back(i);
  }
  return kept;
}

}  // namespace

std::vector<Tensor> compress(const KernelCall& call) {
  const InputView& in = call.in(0);
  // Without an axis the tensor counts as flat.
  Shape shape = call.node.has("axis") ? in.shape : Shape{in.elements()};
  const std::size_t axis = axis_index(call.node.integer("axis", 0), shape.size());
  const std::int64_t dim = shape[axis];
  const auto kept = kept_positions(call, dim);
  const auto middle = shape.begin() + static_cast<std::ptrdiff_t>(axis);
  const std::int64_t outer = element_count(Shape(shape.begin(), middle));
  const std::size_t block =
      static_cast<std::size_t>(element_count(Shape(middle + 1, shape.end()))) * dtype_bytes(in.dtype);
  shape[axis] = static_cast<std::int64_t>(kept.size());
  Tensor result(in.dtype, shape);
  if (result.elements() == 0) return {result};
  std::byte* target = result.mutable_raw().data();
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const std::int64_t position : kept) {
      std::memcpy(target, in.data + static_cast<std::size_t>(o * dim + position) * block, block);
      target += block;
    }
  }
  return {result};
}

}  // namespace cleave::exec::reference
