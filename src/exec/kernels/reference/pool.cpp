#include <algorithm>
#include <cmath>
#include <limits>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/walk.h"
#include "exec/kernels/window.h"

namespace cleave::exec::reference {
namespace {

/// Calls body(input_offset) for each kernel tap inside the input.
template <typename Body>
void for_each_pixel(const Window& w, const Window::Extent& out, Body&& body) {
  for (std::int64_t kd = 0; kd < w.kernel[0]; ++kd) {
    const std::int64_t d = out[0] * w.stride[0] + kd * w.dilation[0] - w.pad_begin[0];
    if (d < 0 || d >= w.input[0]) continue;
    for (std::int64_t kh = 0; kh < w.kernel[1]; ++kh) {
      const std::int64_t h = out[1] * w.stride[1] + kh * w.dilation[1] - w.pad_begin[1];
      if (h < 0 || h >= w.input[1]) continue;
      for (std::int64_t kx = 0; kx < w.kernel[2]; ++kx) {
        const std::int64_t x = out[2] * w.stride[2] + kx * w.dilation[2] - w.pad_begin[2];
        if (x >= 0 && x < w.input[2]) body((d * w.input[1] + h) * w.input[2] + x);
      }
    }
  }
}

/// Kernel taps that count for count_include_pad: those within input and padding (ceil_mode may reach further).
std::int64_t padded_taps(const Window& w, const Window::Extent& out) {
  std::int64_t taps = 1;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::int64_t begin = out[i] * w.stride[i] - w.pad_begin[i];
    const std::int64_t room = w.input[i] + w.pad_end[i] - begin;
    taps *= std::min(w.kernel[i], (room + w.dilation[i] - 1) / w.dilation[i]);
  }
  return taps;
}

template <typename T>
T largest(const Window& w, const Window::Extent& at, const T* x) {
  T best = std::numeric_limits<T>::lowest();
  for_each_pixel(w, at, [&](std::int64_t i) { best = std::max(best, x[i]); });
  return best;
}

float average(const Window& w, const Window::Extent& at, const float* x, bool include_pad) {
  float sum = 0;
  std::int64_t taps = 0;
  for_each_pixel(w, at, [&](std::int64_t i) {
    sum += x[i];
    ++taps;
  });
  if (include_pad) taps = padded_taps(w, at);
  return taps > 0 ? sum / static_cast<float>(taps) : 0.0f;
}

float power_mean(const Window& w, const Window::Extent& at, const float* x, double p) {
  double sum = 0;
  for_each_pixel(w, at, [&](std::int64_t i) { sum += std::pow(std::abs(static_cast<double>(x[i])), p); });
  return static_cast<float>(std::pow(sum, 1 / p));
}

template <typename T, typename F>
void pool_planes(const KernelCall& call, const Window& w, F f) {
  const std::int64_t planes = call.out().shape[0] * call.out().shape[1];
#pragma omp parallel for
  for (std::int64_t plane = 0; plane < planes; ++plane) {
    const T* x = call.in(0).as<T>() + plane * w.input_pixels();
    T* y = call.out().as<T>() + plane * w.output_pixels();
    Window::Extent at;
    for (at[0] = 0; at[0] < w.output[0]; ++at[0]) {
      for (at[1] = 0; at[1] < w.output[1]; ++at[1]) {
        for (at[2] = 0; at[2] < w.output[2]; ++at[2]) *y++ = f(w, at, x);
      }
    }
  }
}

}  // namespace

void pool(const KernelCall& call) {
  const auto kernel = call.node.integers("kernel_shape");
  const Window w = pooling_window(call.node, call.in(0).shape, call.out().shape, kernel);
  if (call.node.op == "MaxPool") {
    dispatch<float, double, std::uint8_t, std::int8_t>(call.in(0).dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      pool_planes<T>(call, w, largest<T>);
    });
  } else if (call.node.op == "AveragePool") {
    const bool include_pad = call.node.integer("count_include_pad", 0) != 0;
    pool_planes<float>(call, w, [=](const Window& window, const Window::Extent& at, const float* x) {
      return average(window, at, x, include_pad);
    });
  } else {
    const auto p = static_cast<double>(call.node.integer("p", 2));
    pool_planes<float>(call, w, [=](const Window& window, const Window::Extent& at, const float* x) {
      return power_mean(window, at, x, p);
    });
  }
}

void global_pool(const KernelCall& call) {
  const InputView& in = call.in(0);
  const bool average_wanted = call.node.op == "GlobalAveragePool";
  const Shape spatial = spatial_dims(in.shape);
  const Strides strides(in.strides.begin() + 2, in.strides.end());
  const auto pixels = static_cast<double>(element_count(spatial));
#pragma omp parallel for collapse(2)
  for (std::int64_t n = 0; n < in.shape[0]; ++n) {
    for (std::int64_t c = 0; c < in.shape[1]; ++c) {
      const float* x = in.as<float>() + n * in.strides[0] + c * in.strides[1];
      double sum = 0;
      float best = std::numeric_limits<float>::lowest();
      walk_rows<1>(spatial, {strides}, [&](const Offsets<1>& at, std::int64_t count, const Offsets<1>& step) {
        for (std::int64_t i = 0; i < count; ++i) {
          const float value = x[at[0] + i * step[0]];
          sum += static_cast<double>(value);
          best = std::max(best, value);
        }
      });
      call.out().as<float>()[n * in.shape[1] + c] = average_wanted ? static_cast<float>(sum / pixels) : best;
    }
  }
}

}  // namespace cleave::exec::reference
