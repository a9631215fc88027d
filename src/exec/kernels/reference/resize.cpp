#include <algorithm>
#include <limits>
#include <vector>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/movement.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/resize_axis.h"
#include "exec/kernels/walk.h"

namespace cleave::exec::reference {
namespace {

std::vector<float> floats_of(const InputView& view) {
  if (!view.present()) return {};
  return {view.as<float>(), view.as<float>() + view.elements()};
}

ResizeInputs inputs_of(const KernelCall& call) {
  const bool crops = call.node.text("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize";
  ResizeInputs inputs{crops ? floats_of(call.in(1)) : std::vector<float>{}, {}, {}};
  if (call.in(3).present()) {
    inputs.sizes = integers_of(call.in(3));
  } else {
    inputs.scales = floats_of(call.in(2));
  }
  return inputs;
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
template <typename T>
void add_slice(const Slice& slice, T* target, const T* source, T weight, bool first) {
  walk_rows<2>(slice.shape, {slice.to_strides, slice.from_strides},
               [&](const Offsets<2>& at, std::int64_t count, const Offsets<2>& step) {
                 T* y = target + at[0];
                 const T* x = source + at[1];
                 if (first) {
                   for (std::int64_t i = 0; i < count; ++i) y[i * step[0]] = weight * x[i * step[1]];
                 } else {
                   for (std::int64_t i = 0; i < count; ++i) y[i * step[0]] += weight * x[i * step[1]];
                 }
               });
}

template <typename T>
void resample(const AxisResampling& r, const InputView& in, const OutputView& out) {
  Shape slice_shape = out.shape;
  slice_shape[r.axis] = 1;
  const Slice slice{slice_shape, out.strides, in.strides};
  for (std::int64_t o = 0; o < r.output; ++o) {
    T* target = out.as<T>() + o * out.strides[r.axis];
    for (std::size_t t = 0; t < r.taps; ++t) {
      const std::size_t k = static_cast<std::size_t>(o) * r.taps + t;
      add_slice<T>(slice, target, in.as<T>() + r.indices[k] * in.strides[r.axis], static_cast<T>(r.weights[k]), t == 0);
    }
  }
}

/// Separable: one axis after the other, in order, through buffers of the layout that the output has.
template <typename T>
void resize_weighted(InputView from, const OutputView& out, const std::vector<AxisResampling>& axes) {
  const bool plain = out.strides == strides_of(out.shape, Layout::kPlain);
  std::vector<T> current;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    OutputView to = out;
    std::vector<T> next;
    if (i + 1 < axes.size()) {
      to.shape = from.shape;
      to.shape[axes[i].axis] = axes[i].output;
      to.strides = strides_of(to.shape, plain ? Layout::kPlain : Layout::kChannelsLast);
      next.resize(static_cast<std::size_t>(to.elements()));
      to.data = reinterpret_cast<std::byte*>(next.data());
    }
    resample<T>(axes[i], from, to);
    current = std::move(next);
    from = {to.dtype, to.shape, to.strides, to.data};
  }
}

/// Integers are resized as float32 and cut off, as a cast would; what leaves the type's range becomes its end.
template <typename T>
void resize_integers(const KernelCall& call, const std::vector<AxisResampling>& axes) {
  const InputView& in = call.in(0);
  const std::vector<float> wide(in.as<T>(), in.as<T>() + in.elements());
  std::vector<float> result(static_cast<std::size_t>(call.out().elements()));
  OutputView out = call.out();
  out.data = reinterpret_cast<std::byte*>(result.data());
  resize_weighted<float>({in.dtype, in.shape, in.strides, reinterpret_cast<const std::byte*>(wide.data())}, out, axes);
  std::transform(result.begin(), result.end(), call.out().as<T>(), [](float x) {
    return static_cast<T>(std::clamp<float>(x, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  });
}

void resize_by_type(const KernelCall& call, const std::vector<AxisResampling>& axes) {
  switch (call.out().dtype) {
    case DType::kFloat32:
      return resize_weighted<float>(call.in(0), call.out(), axes);
    case DType::kFloat64:
      return resize_weighted<double>(call.in(0), call.out(), axes);
    default:
      return dispatch<std::uint8_t, std::int8_t>(
          call.out().dtype, [&](auto tag) { resize_integers<typename decltype(tag)::type>(call, axes); });
  }
}

/// What lies outside the picture in any axis takes one value.
template <typename T>
void fill_outside(const OutputView& out, const std::vector<AxisResampling>& axes, T value) {
  for (const AxisResampling& r : axes) {
    Shape slice = out.shape;
    slice[r.axis] = 1;
    for (const std::int64_t o : r.outside) {
      T* target = out.as<T>() + o * out.strides[r.axis];
      walk_rows<1>(slice, {out.strides}, [&](const Offsets<1>& at, std::int64_t count, const Offsets<1>& step) {
        for (std::int64_t i = 0; i < count; ++i) target[at[0] + i * step[0]] = value;
      });
    }
  }
}

}  // namespace

void resize(const KernelCall& call) {
  if (call.out().elements() == 0) return;
  const auto axes = resampled_axes(call.node, call.in(0).shape, call.out().shape, inputs_of(call));
  if (axes.empty()) {
    strided_copy(dtype_bytes(call.out().dtype), call.out().shape, call.out().data, call.out().strides, call.in(0).data,
                 call.in(0).strides);
  } else if (call.node.text("mode", "nearest") == "nearest") {
    resize_nearest(call, axes);
  } else {
    resize_by_type(call, axes);
  }
  if (call.node.text("coordinate_transformation_mode", "half_pixel") != "tf_crop_and_resize") return;
  dispatch_number(call.out().dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    fill_outside(call.out(), axes, static_cast<T>(call.node.number("extrapolation_value", 0.0f)));
  });
}

}  // namespace cleave::exec::reference
