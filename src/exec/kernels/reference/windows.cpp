#include <cmath>
#include <numbers>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"

namespace cleave::exec::reference {
namespace {

/// a[0] - a[1] cos(t) + a[2] cos(2 t), t = 2 pi n / length.
struct CosineSum {
  double a[3];

  double at(double t) const { return a[0] - a[1] * std::cos(t) + a[2] * std::cos(2 * t); }
};

CosineSum cosines_of(const graph::Node& node) {
  if (node.op == "HannWindow") return {{0.5, 0.5, 0}};
  if (node.op == "HammingWindow") return {{25.0 / 46, 21.0 / 46, 0}};
  return {{0.42, 0.5, 0.08}};
}

}  // namespace

void cosine_window(const KernelCall& call) {
  require_shape(call, checked_sizes(call, integers_of(call.in(0))));
  const std::int64_t size = call.out().elements();
  // A window that is not periodic is as large at its end as at its beginning; of one point it is 1.
  const std::int64_t length = call.node.integer("periodic", 1) != 0 ? size : size - 1;
  const CosineSum cosines = cosines_of(call.node);
  dispatch_number(call.out().dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t n = 0; n < size; ++n) {
      const double t = 2 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(length);
      call.out().as<T>()[n] = static_cast<T>(length == 0 ? 1.0 : cosines.at(t));
    }
  });
}

}  // namespace cleave::exec::reference
