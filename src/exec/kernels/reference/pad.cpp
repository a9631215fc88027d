#include <algorithm>
#include <string>

#include "exec/kernels/dispatch.h"
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
  return ((i % dim) + dim) % dim;  // wrap
}

/// What each axis begins with; the shape that comes out is held against the graph's.
DimList begins_of(const KernelCall& call) {
  const std::size_t rank = call.in(0).shape.size();
  const DimList pads = dims_of(call.in(1));
  DimList axes;
  for (std::size_t i = 0; i < rank; ++i) axes.push_back(static_cast<std::int64_t>(i));
  if (call.in(3).present()) axes = dims_of(call.in(3));
  if (pads.size() != 2 * axes.size()) throw bad_value(call, std::to_string(pads.size()) + " pads are not two per axis");
  DimList begins(rank);
  DimList shape(call.in(0).shape);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = axis_index(axes[i], rank);
    begins[axis] = pads[i];
    shape[axis] += pads[i] + pads[i + axes.size()];
  }
  require_shape(call, shape);
  return begins;
}

/// Every element of a dense tensor.
void fill(const OutputView& out, const std::byte* value) {
  dispatch_bytes(dtype_bytes(out.dtype), [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::fill_n(out.as<T>(), out.elements(), *reinterpret_cast<const T*>(value));
  });
}

/// One value around the input; where pads are negative, the input is cut off.
void pad_with(const KernelCall& call, const DimList& begins, const std::byte* value) {
  const InputView& in = call.in(0);
  const OutputView& out = call.out();
  fill(out, value);
  DimList kept;
  std::int64_t from = 0;
  std::int64_t to = 0;
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const std::int64_t first = std::max<std::int64_t>(0, -begins[i]);
    const std::int64_t place = std::max<std::int64_t>(0, begins[i]);
    kept.push_back(std::min(in.shape[i] - first, out.shape[i] - place));
    if (kept.back() <= 0) return;
    from += first * in.strides[i];
    to += place * out.strides[i];
  }
  const std::size_t bytes = dtype_bytes(in.dtype);
  const auto step = static_cast<std::ptrdiff_t>(bytes);
  strided_copy(bytes, kept, out.data + to * step, out.strides, in.data + from * step, in.strides);
}

void pad_by_tables(const KernelCall& call, const DimList& begins, const std::string& mode) {
  const InputView& in = call.in(0);
  AxisTables tables;
  for (std::size_t axis = 0; axis < in.shape.size(); ++axis) {
    if (in.shape[axis] == 0 && call.out().shape[axis] > 0) throw bad_value(call, "an empty axis has nothing to repeat");
    tables.emplace_back();
    for (std::int64_t i = 0; i < call.out().shape[axis]; ++i) {
      tables.back().push_back(padded_index(mode, i - begins[axis], in.shape[axis]));
    }
  }
  copy_by_tables(dtype_bytes(in.dtype), in, call.out(), tables, nullptr);
}

}  // namespace

void pad(const KernelCall& call) {
  alignas(8) static constexpr std::byte kZero[8] = {};
  const std::string mode = call.node.text("mode", "constant");
  const DimList begins = begins_of(call);
  if (mode != "constant") return pad_by_tables(call, begins, mode);
  const bool has_value = call.in(2).present() && call.in(2).data != nullptr;
  pad_with(call, begins, has_value ? call.in(2).data : kZero);
}

}  // namespace cleave::exec::reference
