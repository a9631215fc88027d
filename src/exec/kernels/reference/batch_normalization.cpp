#include <cmath>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/walk.h"

namespace cleave::exec::reference {
namespace {

struct Statistics {
  double mean = 0;
  double variance = 0;
};

/// One channel of the input, and where it starts there and in the result.
struct Channel {
  const InputView& in;
  const OutputView& out;
  Shape plane;
  std::int64_t source = 0;
  std::int64_t target = 0;

  Channel(const KernelCall& call, std::int64_t c) : in(call.in(0)), out(call.out()), plane(in.shape) {
    if (plane.size() < 2) return;
    plane[1] = 1;
    source = c * in.strides[1];
    target = c * out.strides[1];
  }

  /// body(x, y) for every element.
  template <typename T, typename Body>
  void each(Body&& body) const {
    walk_rows<2>(plane, {out.strides, in.strides},
                 [&](const Offsets<2>& at, std::int64_t count, const Offsets<2>& step) {
                   const T* x = in.as<T>() + source + at[1];
                   T* y = out.as<T>() + target + at[0];
                   for (std::int64_t i = 0; i < count; ++i) body(x[i * step[1]], y[i * step[0]]);
                 });
  }
};

/// Mean and population variance of a channel.
template <typename T>
Statistics measured(const Channel& channel) {
  const auto count = static_cast<double>(element_count(channel.plane));
  Statistics s;
  channel.each<T>([&](T x, T&) { s.mean += static_cast<double>(x); });
  s.mean /= count;
  channel.each<T>(
      [&](T x, T&) { s.variance += (static_cast<double>(x) - s.mean) * (static_cast<double>(x) - s.mean); });
  s.variance /= count;
  return s;
}

/// running' = running * momentum + current * (1 - momentum)
template <typename T>
void store_running(const KernelCall& call, std::size_t i, std::int64_t c, double current) {
  if (i >= call.outputs.size() || !call.out(i).present()) return;
  const auto momentum = static_cast<double>(call.node.number("momentum", 0.9f));
  const auto before = static_cast<double>(call.in(i + 2).as<T>()[c]);
  call.out(i).as<T>()[c] = static_cast<T>(before * momentum + current * (1 - momentum));
}

template <typename T>
void normalize_channel(const KernelCall& call, std::int64_t c) {
  const Channel channel(call, c);
  T mean = call.in(3).as<T>()[c];
  T variance = call.in(4).as<T>()[c];
  if (call.node.integer("training_mode", 0) != 0) {
    const Statistics current = measured<T>(channel);
    store_running<T>(call, 1, c, current.mean);
    store_running<T>(call, 2, c, current.variance);
    mean = static_cast<T>(current.mean);
    variance = static_cast<T>(current.variance);
  }
  const T factor = call.in(1).as<T>()[c] / std::sqrt(variance + static_cast<T>(call.node.number("epsilon", 1e-5f)));
  const T shift = call.in(2).as<T>()[c] - mean * factor;
  channel.each<T>([=](T x, T& y) { y = x * factor + shift; });
}

}  // namespace

void batch_normalization(const KernelCall& call) {
  const InputView& in = call.in(0);
  const std::int64_t channels = in.shape.size() > 1 ? in.shape[1] : 1;
  dispatch<float, double>(in.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
#pragma omp parallel for
    for (std::int64_t c = 0; c < channels; ++c) normalize_channel<T>(call, c);
  });
}

}  // namespace cleave::exec::reference
