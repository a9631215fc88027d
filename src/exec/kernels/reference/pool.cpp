#include <algorithm>
#include <cmath>
#include <limits>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/walk.h"
#include "exec/kernels/window.h"

namespace cleave::exec::reference {
namespace {

/// Calls body(input_position) for each kernel tap inside the input.
template <typename Body>
void for_each_place(const Window& w, const Window::Extent& out, Body&& body) {
  for (std::int64_t kd = 0; kd < w.kernel[0]; ++kd) {
    const std::int64_t d = out[0] * w.stride[0] + kd * w.dilation[0] - w.pad_begin[0];
    if (d < 0 || d >= w.input[0]) continue;
    for (std::int64_t kh = 0; kh < w.kernel[1]; ++kh) {
      const std::int64_t h = out[1] * w.stride[1] + kh * w.dilation[1] - w.pad_begin[1];
      if (h < 0 || h >= w.input[1]) continue;
      for (std::int64_t kx = 0; kx < w.kernel[2]; ++kx) {
        const std::int64_t x = out[2] * w.stride[2] + kx * w.dilation[2] - w.pad_begin[2];
        if (x >= 0 && x < w.input[2]) body(Window::Extent{d, h, x});
      }
    }
  }
}

std::int64_t row_major(const Window& w, const Window::Extent& at) {
  return (at[0] * w.input[1] + at[1]) * w.input[2] + at[2];
}

/// The first spatial dimension runs fastest (storage_order 1).
std::int64_t column_major(const Window& w, const Window::Extent& at) {
  return at[0] + w.input[0] * (at[1] + w.input[1] * at[2]);
}

/// Calls body(input_offset) for each kernel tap inside the input.
template <typename Body>
void for_each_pixel(const Window& w, const Window::Extent& out, Body&& body) {
  for_each_place(w, out, [&](const Window::Extent& at) { body(row_major(w, at)); });
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

/// Where `largest` found its value: the first place of it.
template <typename T>
Window::Extent place_of_largest(const Window& w, const Window::Extent& at, const T* x) {
  Window::Extent place{0, 0, 0};
  T best = std::numeric_limits<T>::lowest();
  bool found = false;
  for_each_place(w, at, [&](const Window::Extent& here) {
    const T value = x[row_major(w, here)];
    if (found && !(value > best)) return;
    found = true;
    best = value;
    place = here;
  });
  return place;
}

template <typename T>
T average(const Window& w, const Window::Extent& at, const T* x, bool include_pad) {
  T sum = 0;
  std::int64_t taps = 0;
  for_each_pixel(w, at, [&](std::int64_t i) {
    sum += x[i];
    ++taps;
  });
  if (include_pad) taps = padded_taps(w, at);
  return taps > 0 ? sum / static_cast<T>(taps) : T(0);
}

template <typename T>
T power_mean(const Window& w, const Window::Extent& at, const T* x, double p) {
  double sum = 0;
  for_each_pixel(w, at, [&](std::int64_t i) { sum += std::pow(std::abs(static_cast<double>(x[i])), p); });
  return static_cast<T>(std::pow(sum, 1 / p));
}

/// Calls one(output_offset, plane, at) for each output pixel, planes on all threads.
template <typename One>
void for_each_output(const KernelCall& call, const Window& w, One&& one) {
  const std::int64_t planes = call.out().shape[0] * call.out().shape[1];
#pragma omp parallel for
  for (std::int64_t plane = 0; plane < planes; ++plane) {
    std::int64_t offset = plane * w.output_pixels();
    Window::Extent at;
    for (at[0] = 0; at[0] < w.output[0]; ++at[0]) {
      for (at[1] = 0; at[1] < w.output[1]; ++at[1]) {
        for (at[2] = 0; at[2] < w.output[2]; ++at[2]) one(offset++, plane, at);
      }
    }
  }
}

template <typename T, typename F>
void pool_planes(const KernelCall& call, const Window& w, F f) {
  for_each_output(call, w, [&](std::int64_t offset, std::int64_t plane, const Window::Extent& at) {
    call.out().as<T>()[offset] = f(w, at, call.in(0).as<T>() + plane * w.input_pixels());
  });
}

template <typename T>
void write_places(const KernelCall& call, const Window& w) {
  const bool columns = call.node.integer("storage_order", 0) != 0;
  for_each_output(call, w, [&](std::int64_t offset, std::int64_t plane, const Window::Extent& at) {
    const std::int64_t start = plane * w.input_pixels();
    const Window::Extent place = place_of_largest(w, at, call.in(0).as<T>() + start);
    call.out(1).as<std::int64_t>()[offset] = start + (columns ? column_major(w, place) : row_major(w, place));
  });
}

template <typename T>
void max_pool(const KernelCall& call, const Window& w) {
  pool_planes<T>(call, w, largest<T>);
  if (call.outputs.size() > 1 && call.out(1).present()) write_places<T>(call, w);
}

template <typename T>
void mean_pool(const KernelCall& call, const Window& w) {
  if (call.node.op == "AveragePool") {
    const bool include_pad = call.node.integer("count_include_pad", 0) != 0;
    pool_planes<T>(call, w, [=](const Window& window, const Window::Extent& at, const T* x) {
      return average(window, at, x, include_pad);
    });
  } else {
    const auto p = static_cast<double>(call.node.integer("p", 2));
    pool_planes<T>(call, w, [=](const Window& window, const Window::Extent& at, const T* x) {
      return power_mean(window, at, x, p);
    });
  }
}

/// result = step(result, value) over the values of one plane of an N, C, spatial... tensor.
template <typename T, typename Result, typename Step>
Result fold_plane(const InputView& in, std::int64_t plane, Result result, Step&& step) {
  const Strides strides(in.strides.begin() + 2, in.strides.end());
  const T* x = in.as<T>() + plane / in.shape[1] * in.strides[0] + plane % in.shape[1] * in.strides[1];
  walk_rows<1>(spatial_dims(in.shape), {strides}, [&](const Offsets<1>& at, std::int64_t count, const Offsets<1>& by) {
    for (std::int64_t i = 0; i < count; ++i) result = step(result, x[at[0] + i * by[0]]);
  });
  return result;
}

/// y of each plane, planes on all threads.
template <typename T, typename F>
void global_planes(const KernelCall& call, F f) {
  const std::int64_t planes = call.in(0).shape[0] * call.in(0).shape[1];
#pragma omp parallel for
  for (std::int64_t plane = 0; plane < planes; ++plane) call.out().as<T>()[plane] = f(plane);
}

template <typename T>
void global_pool_typed(const KernelCall& call) {
  const InputView& in = call.in(0);
  if (call.node.op == "GlobalMaxPool") {
    return global_planes<T>(call, [&](std::int64_t plane) {
      return fold_plane<T>(in, plane, std::numeric_limits<T>::lowest(), [](T best, T x) { return std::max(best, x); });
    });
  }
  if (call.node.op == "GlobalAveragePool") {
    const auto pixels = static_cast<double>(element_count(spatial_dims(in.shape)));
    return global_planes<T>(call, [&, pixels](std::int64_t plane) {
      const auto add = [](double sum, T x) { return sum + static_cast<double>(x); };
      return static_cast<T>(fold_plane<T>(in, plane, 0.0, add) / pixels);
    });
  }
  const auto p = static_cast<double>(call.node.integer("p", 2));
  global_planes<T>(call, [&, p](std::int64_t plane) {
    const auto add = [p](double sum, T x) { return sum + std::pow(std::abs(static_cast<double>(x)), p); };
    return static_cast<T>(std::pow(fold_plane<T>(in, plane, 0.0, add), 1 / p));
  });
}

}  // namespace

void pool(const KernelCall& call) {
  const auto kernel = call.node.integers("kernel_shape");
  const Window w = pooling_window(call.node, call.in(0).shape, call.out().shape, kernel);
  if (call.node.op == "MaxPool") {
    dispatch<float, double, std::uint8_t, std::int8_t>(
        call.in(0).dtype, [&](auto tag) { max_pool<typename decltype(tag)::type>(call, w); });
  } else {
    dispatch<float, double>(call.in(0).dtype, [&](auto tag) { mean_pool<typename decltype(tag)::type>(call, w); });
  }
}

void global_pool(const KernelCall& call) {
  dispatch<float, double>(call.in(0).dtype, [&](auto tag) { global_pool_typed<typename decltype(tag)::type>(call); });
}

}  // namespace cleave::exec::reference
