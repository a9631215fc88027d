#include <algorithm>

#include "core/error.h"
#include "exec/kernels/reference/kernels.h"

namespace cleave::exec::reference {
namespace {

constexpr double kDefaultRatio = 0.5;

/// Whether this run would have to draw elements to drop.
bool drops(const KernelCall& call) {
  const bool training = call.in(2).present() && *call.in(2).as<bool>();
  const double ratio = call.in(1).present() ? scalar_of(call.in(1)) : kDefaultRatio;
  return training && ratio != 0;
}

}  // namespace

void dropout(const KernelCall& call) {
  if (drops(call)) {
    throw Error(ErrorKind::kUnsupported,
                "node '" + call.node.name + "' (Dropout): dropping at random (training_mode) is not supported",
                "Export the network for inference.");
  }
  copy(call);
  if (call.outputs.size() > 1 && call.out(1).present()) {
    std::fill_n(call.out(1).as<bool>(), call.out(1).elements(), true);
  }
}

}  // namespace cleave::exec::reference
