#include <cstring>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"

namespace cleave::exec::reference {

void one_hot(const KernelCall& call) {
  const InputView& indices = call.in(0);
  const InputView& values = call.in(2);  // off, on
  const auto depth = static_cast<std::int64_t>(scalar_of(call.in(1)));
  const std::size_t axis = axis_index(call.node.integer("axis", -1), indices.shape.size() + 1);
  Shape shape = indices.shape;
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), depth);
  require_shape(call, checked_sizes(call, shape));
  if (values.elements() != 2) throw bad_value(call, "values must be off and on");
  const std::size_t bytes = dtype_bytes(call.out().dtype);
  std::byte* to = call.out().data;
  for (std::int64_t i = 0; i < call.out().elements(); ++i) {
    std::memcpy(to + static_cast<std::size_t>(i) * bytes, values.data, bytes);
  }
  const std::int64_t inner = call.out().strides[axis];
  dispatch_number(indices.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t i = 0; i < indices.elements(); ++i) {
      const auto index = static_cast<std::int64_t>(indices.as<T>()[i]);
      const std::int64_t position = index < 0 ? index + depth : index;
      if (position < 0 || position >= depth) continue;  // ONNX: such a row is off throughout
      const std::int64_t at = (i / inner * depth + position) * inner + i % inner;
      std::memcpy(to + static_cast<std::size_t>(at) * bytes, values.data + bytes, bytes);
    }
  });
}

}  // namespace cleave::exec::reference
