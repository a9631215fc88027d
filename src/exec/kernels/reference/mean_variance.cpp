#include <algorithm>
#include <cmath>
#include <vector>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/walk.h"

namespace cleave::exec::reference {
namespace {

constexpr double kEpsilon = 1e-9;  // ONNX's definition: added to the deviation

/// Strides over one slot per index of the axes that are not averaged.
Strides slot_strides(const KernelCall& call) {
  const Shape& shape = call.in(0).shape;
  Strides strides(shape.size(), 1);
  for (const std::int64_t axis : call.node.integers("axes", {0, 2, 3})) strides[axis_index(axis, shape.size())] = 0;
  std::int64_t step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (strides[i] == 0) continue;
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

struct Sums {
  double sum = 0;
  double squares = 0;
  double count = 0;

  double mean() const { return sum / count; }
  double deviation() const { return std::sqrt(std::max(squares / count - mean() * mean(), 0.0)); }
};

}  // namespace

void mean_variance_normalization(const KernelCall& call) {
  const InputView& in = call.in(0);
  const Strides slots = slot_strides(call);
  std::vector<Sums> sums(static_cast<std::size_t>(in.elements()));
  dispatch<float, double>(in.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    walk_rows<2>(in.shape, {in.strides, slots}, [&](const Offsets<2>& at, std::int64_t count, const Offsets<2>& step) {
      for (std::int64_t i = 0; i < count; ++i) {
        const auto x = static_cast<double>(in.as<T>()[at[0] + i * step[0]]);
        Sums& slot = sums[static_cast<std::size_t>(at[1] + i * step[1])];
        slot.sum += x;
        slot.squares += x * x;
        slot.count += 1;
      }
    });
    walk_rows<2>(in.shape, {in.strides, slots}, [&](const Offsets<2>& at, std::int64_t count, const Offsets<2>& step) {
      for (std::int64_t i = 0; i < count; ++i) {
        const Sums& slot = sums[static_cast<std::size_t>(at[1] + i * step[1])];
        const auto x = static_cast<double>(in.as<T>()[at[0] + i * step[0]]);
        call.out().as<T>()[at[0] + i * step[0]] = static_cast<T>((x - slot.mean()) / (slot.deviation() + kEpsilon));
      }
    });
  });
}

}  // namespace cleave::exec::reference
