#include <algorithm>
#include <vector>

#include "exec/kernels/movement.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/resize_axis.h"
#include "exec/kernels/walk.h"

namespace cleave::exec::reference {
namespace {

std::vector<float> scales_of(const KernelCall& call) {
  const InputView& scales = call.in(2);
  if (!scales.present() || call.in(3).present()) return {};
  return {scales.as<float>(), scales.as<float>() + scales.elements()};
}

void resize_nearest(const KernelCall& call, const std::vector<AxisResampling>& axes) {
  AxisTables tables;
  for (const std::int64_t dim : call.out().shape) {
    tables.emplace_back(static_cast<std::size_t>(dim));
    for (std::size_t i = 0; i < tables.back().size(); ++i) tables.back()[i] = static_cast<std::int64_t>(i);
  }
  for (const AxisResampling& axis : axes) tables[axis.axis] = axis.indices;
  copy_by_tables(dtype_bytes(call.out().dtype), call.in(0), call.out(), tables, nullptr);
}

/// Index o along one axis of a strided tensor.
struct Slice {
  const Shape& shape;  ///< with 1 at the axis
  const Strides& to_strides;
  const Strides& from_strides;
};

/// target (+)= weight * source over one slice; the first tap overwrites.
void add_slice(const Slice& slice, float* target, const float* source, float weight, bool first) {
  walk_rows<2>(slice.shape, {slice.to_strides, slice.from_strides},
               [&](const Offsets<2>& at, std::int64_t count, const Offsets<2>& step) {
                 float* y = target + at[0];
                 const float* x = source + at[1];
                 if (first) {
                   for (std::int64_t i = 0; i < count; ++i) y[i * step[0]] = weight * x[i * step[1]];
                 } else {
                   for (std::int64_t i = 0; i < count; ++i) y[i * step[0]] += weight * x[i * step[1]];
                 }
               });
}

void resample(const AxisResampling& r, const InputView& in, const OutputView& out) {
  Shape slice_shape = out.shape;
  slice_shape[r.axis] = 1;
  const Slice slice{slice_shape, out.strides, in.strides};
  for (std::int64_t o = 0; o < r.output; ++o) {
    float* target = out.as<float>() + o * out.strides[r.axis];
    for (std::size_t t = 0; t < r.taps; ++t) {
      const std::size_t k = static_cast<std::size_t>(o) * r.taps + t;
      add_slice(slice, target, in.as<float>() + r.indices[k] * in.strides[r.axis], r.weights[k], t == 0);
    }
  }
}

/// Separable: one axis after the other, in order, through buffers of the layout that the output has.
void resize_weighted(const KernelCall& call, const std::vector<AxisResampling>& axes) {
  InputView from = call.in(0);
  const bool plain = call.out().strides == strides_of(call.out().shape, Layout::kPlain);
  std::vector<float> current;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    OutputView to = call.out();
    std::vector<float> next;
    if (i + 1 < axes.size()) {
      to.shape = from.shape;
      to.shape[axes[i].axis] = axes[i].output;
      to.strides = strides_of(to.shape, plain ? Layout::kPlain : Layout::kChannelsLast);
      next.resize(static_cast<std::size_t>(to.elements()));
      to.data = reinterpret_cast<std::byte*>(next.data());
    }
    resample(axes[i], from, to);
    current = std::move(next);
    from = {to.dtype, to.shape, to.strides, to.data};
  }
}

}  // namespace

void resize(const KernelCall& call) {
  const auto axes = resampled_axes(call.node, call.in(0).shape, call.out().shape, scales_of(call));
  if (axes.empty()) {
    strided_copy(dtype_bytes(call.out().dtype), call.out().shape, call.out().data, call.out().strides, call.in(0).data,
                 call.in(0).strides);
  } else if (call.node.text("mode", "nearest") == "nearest") {
    resize_nearest(call, axes);
  } else {
    resize_weighted(call, axes);
  }
}

}  // namespace cleave::exec::reference
