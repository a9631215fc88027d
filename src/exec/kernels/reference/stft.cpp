#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/fourier.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"

namespace cleave::exec::reference {
namespace {

/// How a signal is cut into frames.
struct Frames {
  std::int64_t step = 1;
  std::int64_t length = 1;  ///< of each
  std::int64_t count = 0;
};

Frames frames_of(const KernelCall& call) {
  const std::int64_t samples = call.in(0).shape[1];
  Frames frames;
  frames.step = integers_of(call.in(1)).front();
  frames.length = samples;
  if (call.in(2).present()) frames.length = call.in(2).elements();
  if (call.in(3).present()) frames.length = integers_of(call.in(3)).front();
  if (call.in(2).present() && call.in(2).elements() != frames.length) {
    throw bad_value(call, "the window does not have the length of a frame");
  }
  if (frames.step < 1 || frames.length < 1 || frames.length > samples) {
    throw bad_value(call, "frames of length " + std::to_string(frames.length) + ", " + std::to_string(frames.step) +
                              " apart, do not fit the signal");
  }
  frames.count = (samples - frames.length) / frames.step + 1;
  return frames;
}

}  // namespace

void stft(const KernelCall& call) {
  const Shape& shape = call.in(0).shape;
  const Frames frames = frames_of(call);
  const std::int64_t components = shape.size() == 3 ? shape[2] : 1;
  const std::int64_t bins = kept_bins(frames.length, call.node.integer("onesided", 1) != 0);
  require_shape(call, {shape[0], frames.count, bins, 2});
  const Fourier fourier(frames.length, false);
  std::vector<std::complex<double>> frame(static_cast<std::size_t>(frames.length));
  dispatch<float, double>(call.in(0).dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* y = call.out().as<T>();
    for (std::int64_t f = 0; f < shape[0] * frames.count; ++f) {
      const std::int64_t start = f / frames.count * shape[1] + f % frames.count * frames.step;
      for (std::int64_t n = 0; n < frames.length; ++n) {
        const T* x = call.in(0).as<T>() + (start + n) * components;
        const T weight = call.in(2).present() ? call.in(2).as<T>()[n] : T{1};
        frame[static_cast<std::size_t>(n)] = {static_cast<double>(x[0] * weight),
                                              components == 2 ? static_cast<double>(x[1] * weight) : 0.0};
      }
      for (std::int64_t k = 0; k < bins; ++k, y += 2) {
        const std::complex<double> value = fourier.at(frame, k);
        y[0] = static_cast<T>(value.real());
        y[1] = static_cast<T>(value.imag());
      }
    }
  });
}

}  // namespace cleave::exec::reference
