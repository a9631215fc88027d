#include <algorithm>

#include "exec/kernels/movement.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"

namespace cleave::exec::reference {
namespace {

/// start, start + step, ... of one axis: `count` indices.
struct AxisRange {
  std::int64_t start = 0;
  std::int64_t step = 1;
  std::int64_t count = 0;
};

AxisRange range_of(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t dim) {
  const auto clamped = [&](std::int64_t i, std::int64_t low, std::int64_t high) {
    return std::clamp(i < 0 ? i + dim : i, low, high);
  };
  if (dim == 0) return {0, step, 0};
  if (step > 0) {
    const std::int64_t first = clamped(start, 0, dim);
    const std::int64_t length = std::max<std::int64_t>(clamped(end, 0, dim) - first, 0);
    return {first, step, length / step + (length % step != 0)};
  }
  const std::int64_t first = clamped(start, 0, dim - 1);
  const std::int64_t length = std::max<std::int64_t>(first - clamped(end, -1, dim - 1), 0);
  // -step would overflow for the smallest integer, so this counts with negative numbers.
  return {first, step, -length / step + (-length % step != 0)};
}

DimList axes_of(const KernelCall& call, std::size_t count) {
  if (call.in(3).present()) return dims_of(call.in(3));
  DimList axes;
  for (std::size_t i = 0; i < count; ++i) axes.push_back(static_cast<std::int64_t>(i));
  return axes;
}

DimList steps_of(const KernelCall& call, std::size_t count) {
  return call.in(4).present() ? dims_of(call.in(4)) : DimList(count, 1);
}

}  // namespace

void slice(const KernelCall& call) {
  const InputView& in = call.in(0);
  const auto bytes = static_cast<std::ptrdiff_t>(dtype_bytes(in.dtype));
  const DimList starts = dims_of(call.in(1));
  const DimList ends = dims_of(call.in(2));
  const DimList axes = axes_of(call, starts.size());
  const DimList steps = steps_of(call, starts.size());
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
    throw bad_value(call, "starts, ends, axes and steps differ in number");
  }
  DimList shape(in.shape);
  DimList strides(in.strides);
  const std::byte* source = in.data;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (steps[i] == 0) throw bad_value(call, "a step of 0 makes no slice");
    const std::size_t axis = axis_index(axes[i], in.shape.size());
    const AxisRange range = range_of(starts[i], ends[i], steps[i], in.shape[axis]);
    shape[axis] = range.count;
    if (range.count > 0) source += in.strides[axis] * range.start * bytes;
    if (range.count > 1) strides[axis] *= range.step;
  }
  require_shape(call, shape);
  strided_copy(static_cast<std::size_t>(bytes), shape, call.out().data, call.out().strides, source, strides);
}

}  // namespace cleave::exec::reference
