#include <cmath>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"

namespace cleave::exec::reference {

void is_nan(const KernelCall& call) {
  dispatch<float, double>(call.in(0).dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t i = 0; i < call.out().elements(); ++i)
      call.out().as<bool>()[i] = std::isnan(call.in(0).as<T>()[i]);
  });
}

void is_infinite(const KernelCall& call) {
  const bool negative = call.node.integer("detect_negative", 1) != 0;
  const bool positive = call.node.integer("detect_positive", 1) != 0;
  dispatch<float, double>(call.in(0).dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t i = 0; i < call.out().elements(); ++i) {
      const T x = call.in(0).as<T>()[i];
      call.out().as<bool>()[i] = std::isinf(x) && (x < 0 ? negative : positive);
    }
  });
}

}  // namespace cleave::exec::reference
