#include <numeric>
#include <vector>

#include "exec/kernels/movement.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"

namespace cleave::exec::reference {
namespace {

/// Index into [0, dim) mirrored at the borders without repeating them.
std::int64_t reflected(std::int64_t i, std::int64_t dim) {
  if (dim == 1) return 0;
  const std::int64_t period = 2 * (dim - 1);
  const std::int64_t folded = ((i % period) + period) % period;
  return folded < dim ? folded : period - folded;
}

std::int64_t padded_index(const std::string& mode, std::int64_t i, std::int64_t dim) {
  if (i >= 0 && i < dim) return i;
  if (mode == "edge") return i < 0 ? 0 : dim - 1;
  if (mode == "reflect") return reflected(i, dim);
  if (mode == "wrap") return ((i % dim) + dim) % dim;
  return -1;
}

/// What each axis begins with; the shape that comes out is held against the graph's.
std::vector<std::int64_t> begins_of(const KernelCall& call) {
  const std::size_t rank = call.in(0).shape.size();
  const auto pads = integers_of(call.in(1));
  std::vector<std::int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), std::int64_t{0});
  if (call.in(3).present()) axes = integers_of(call.in(3));
  if (pads.size() != 2 * axes.size()) throw bad_value(call, std::to_string(pads.size()) + " pads are not two per axis");
  std::vector<std::int64_t> begins(rank, 0);
  Shape shape = call.in(0).shape;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = axis_index(axes[i], rank);
    begins[axis] = pads[i];
    shape[axis] += pads[i] + pads[i + axes.size()];
  }
  require_shape(call, shape);
  return begins;
}

}  // namespace

void pad(const KernelCall& call) {
  const InputView& in = call.in(0);
  const std::string mode = call.node.text("mode", "constant");
  const auto begins = begins_of(call);
  AxisTables tables;
  for (std::size_t axis = 0; axis < in.shape.size(); ++axis) {
    tables.emplace_back();
    for (std::int64_t i = 0; i < call.out().shape[axis]; ++i) {
      tables.back().push_back(padded_index(mode, i - begins[axis], in.shape[axis]));
    }
  }
  static constexpr std::byte kZero[8] = {};
  const bool has_value = call.in(2).present() && call.in(2).data != nullptr;
  copy_by_tables(dtype_bytes(in.dtype), in, call.out(), tables, has_value ? call.in(2).data : kZero);
}

}  // namespace cleave::exec::reference
