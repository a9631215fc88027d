#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/fourier.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"

namespace cleave::exec::reference {
namespace {

/// The axis is an attribute up to opset 19, an input from 20 on; without one, both mean the first dimension behind the
/// batch (check_dft sees to it that they do).
std::size_t signal_axis(const KernelCall& call) {
  const std::int64_t axis = call.in(2).present() ? integers_of(call.in(2)).front() : call.node.integer("axis", 1);
  const auto rank = static_cast<std::int64_t>(call.in(0).shape.size());
  if (axis < -rank || axis == -1 || axis >= rank - 1) {
    throw bad_value(call, "axis " + std::to_string(axis) + " is none of the signal's");
  }
  return axis_index(axis, call.in(0).shape.size());
}

/// Where the signals along the axis lie: `outer` groups of `inner` signals, elements `inner` apart.
struct Signals {
  std::int64_t outer = 1;
  std::int64_t inner = 1;

  Signals(const Shape& shape, std::size_t axis) {
    for (std::size_t i = 0; i < axis; ++i) outer *= shape[i];
    for (std::size_t i = axis + 1; i + 1 < shape.size(); ++i) inner *= shape[i];
  }
};

}  // namespace

void dft(const KernelCall& call) {
  const Shape& shape = call.in(0).shape;
  const std::size_t axis = signal_axis(call);
  const std::int64_t components = shape.back();
  const std::int64_t length = call.in(1).present() ? integers_of(call.in(1)).front() : shape[axis];
  if (length < 1) throw bad_value(call, "a transform of length " + std::to_string(length) + " makes no sense");
  const std::int64_t bins = kept_bins(length, call.node.integer("onesided", 0) != 0);
  Shape made = shape;
  made[axis] = bins;
  made.back() = 2;
  require_shape(call, made);
  const Fourier fourier(length, call.node.integer("inverse", 0) != 0);
  const Signals signals(shape, axis);
  std::vector<std::complex<double>> signal(static_cast<std::size_t>(shape[axis]));
  dispatch<float, double>(call.in(0).dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t s = 0; s < signals.outer * signals.inner; ++s) {
      const std::int64_t group = s / signals.inner;
      const T* x = call.in(0).as<T>() + (group * shape[axis] * signals.inner + s % signals.inner) * components;
      T* y = call.out().as<T>() + (group * bins * signals.inner + s % signals.inner) * 2;
      for (std::complex<double>& value : signal) {
        value = {static_cast<double>(x[0]), components == 2 ? static_cast<double>(x[1]) : 0.0};
        x += signals.inner * components;
      }
      for (std::int64_t k = 0; k < bins; ++k, y += signals.inner * 2) {
        const std::complex<double> value = fourier.at(signal, k);
        y[0] = static_cast<T>(value.real());
        y[1] = static_cast<T>(value.imag());
      }
    }
  });
}

}  // namespace cleave::exec::reference
