#include "exec/kernels/value_checks.h"

#include <algorithm>

namespace cleave::exec {

Error bad_value(const KernelCall& call, const std::string& what) {
  return Error(ErrorKind::kInvalidInput, "node '" + call.node.name + "' (" + call.node.op + "): " + what);
}

void require_shape(const KernelCall& call, std::span<const std::int64_t> made, std::size_t i) {
  const Shape& wanted = call.out(i).shape;
  if (std::equal(made.begin(), made.end(), wanted.begin(), wanted.end())) return;
  throw bad_value(call, "its inputs ask for a result of shape " + shape_text({made.begin(), made.end()}) +
                            ", the network says " + shape_text(wanted));
}

void require_shape(const KernelCall& call, std::initializer_list<std::int64_t> made) {
  require_shape(call, std::span(made.begin(), made.size()));
}

std::int64_t checked_index(const KernelCall& call, std::int64_t index, std::int64_t dim) {
  const std::int64_t positive = index < 0 ? index + dim : index;
  if (positive < 0 || positive >= dim) {
    throw bad_value(call, "index " + std::to_string(index) + " is outside an axis of size " + std::to_string(dim));
  }
  return positive;
}

Shape checked_sizes(const KernelCall& call, std::vector<std::int64_t> sizes) {
  const auto negative = std::find_if(sizes.begin(), sizes.end(), [](std::int64_t size) { return size < 0; });
  if (negative != sizes.end()) throw bad_value(call, "a size of " + std::to_string(*negative) + " makes no sense");
  return sizes;
}

}  // namespace cleave::exec
