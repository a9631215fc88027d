#include <cstring>

#include "core/error.h"
#include "exec/kernels/reference/kernels.h"

namespace cleave::exec::reference {

/// Puts each value at its index in the whole result; everything else is 0.
void max_unpool(const KernelCall& call) {
  const std::size_t bytes = dtype_bytes(call.in(0).dtype);
  const std::int64_t room = call.out().elements();
  std::memset(call.out().data, 0, static_cast<std::size_t>(room) * bytes);
  for (std::int64_t i = 0; i < call.in(0).elements(); ++i) {
    const std::int64_t index = call.in(1).as<std::int64_t>()[i];
    if (index < 0 || index >= room) {
      throw Error(ErrorKind::kInvalidInput, "node '" + call.node.name + "': index " + std::to_string(index) +
                                                " is outside an output of " + std::to_string(room) + " elements");
    }
    std::memcpy(call.out().data + static_cast<std::size_t>(index) * bytes,
                call.in(0).data + static_cast<std::size_t>(i) * bytes, bytes);
  }
}

}  // namespace cleave::exec::reference
