#include <cstring>

#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"

namespace cleave::exec::reference {
void gather(const KernelCall& call) {
  const InputView& in = call.in(0);
  const std::size_t axis = axis_index(call.node.integer("axis", 0), in.shape.size());
  const auto indices = integers_of(call.in(1));
  const auto middle = in.shape.begin() + static_cast<std::ptrdiff_t>(axis);
  const std::int64_t outer = element_count(Shape(in.shape.begin(), middle));
  const std::size_t block =
      static_cast<std::size_t>(element_count(Shape(middle + 1, in.shape.end()))) * dtype_bytes(in.dtype);
  std::byte* target = call.out().data;
  if (block == 0) return;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const std::int64_t index : indices) {
      const std::int64_t row = o * in.shape[axis] + checked_index(call, index, in.shape[axis]);
      std::memcpy(target, in.data + static_cast<std::size_t>(row) * block, block);
      target += block;
    }
  }
}

void gather_elements(const KernelCall& call) {
  const InputView& in = call.in(0);
  const OutputView& out = call.out();
  const std::size_t axis = axis_index(call.node.integer("axis", 0), in.shape.size());
  const auto indices = integers_of(call.in(1));
  const std::size_t bytes = dtype_bytes(in.dtype);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    std::int64_t source = 0;
    auto rest = static_cast<std::int64_t>(i);
    for (std::size_t d = 0; d < out.shape.size(); ++d) {
      const std::int64_t position = rest / out.strides[d];
      rest %= out.strides[d];
      source += in.strides[d] * (d == axis ? checked_index(call, indices[i], in.shape[axis]) : position);
    }
    std::memcpy(out.data + i * bytes, in.data + static_cast<std::size_t>(source) * bytes, bytes);
  }
}

}  // namespace cleave::exec::reference
