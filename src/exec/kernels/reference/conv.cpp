#include <algorithm>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/convolve.h"
#include "exec/kernels/reference/kernels.h"

namespace cleave::exec::reference {
namespace {

/// Output indices o in [first, second) for which o * stride + shift lies inside [0, input).
std::pair<std::int64_t, std::int64_t> valid_outputs(std::int64_t shift, std::int64_t stride, std::int64_t input,
                                                    std::int64_t output) {
  const std::int64_t first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
  const std::int64_t last = input - 1 - shift;
  const std::int64_t end = last < 0 ? 0 : last / stride + 1;
  return {std::min(first, output), std::max(std::min(end, output), std::min(first, output))};
}

/// large[small_index * stride + shift] and small[small_index] meet through one kernel tap: calls
/// row(small_offset, large_offset, count) for each run along the innermost dimension.
template <typename Row>
void for_each_tap_row(const Window& w, const Window::Extent& small, const Window::Extent& large,
                      const Window::Extent& tap, Row&& row) {
  Window::Extent shift;
  std::array<std::pair<std::int64_t, std::int64_t>, 3> range;
  for (std::size_t i = 0; i < 3; ++i) {
    shift[i] = tap[i] * w.dilation[i] - w.pad_begin[i];
    range[i] = valid_outputs(shift[i], w.stride[i], large[i], small[i]);
  }
  const std::int64_t count = range[2].second - range[2].first;
  if (count <= 0) return;
  for (std::int64_t d = range[0].first; d < range[0].second; ++d) {
    for (std::int64_t h = range[1].first; h < range[1].second; ++h) {
      const std::int64_t large_d = d * w.stride[0] + shift[0];
      const std::int64_t large_h = h * w.stride[1] + shift[1];
      row((d * small[1] + h) * small[2] + range[2].first,
          (large_d * large[1] + large_h) * large[2] + range[2].first * w.stride[2] + shift[2], count);
    }
  }
}

template <typename Body>
void for_each_tap(const Window& w, Body&& body) {
  std::int64_t index = 0;
  for (std::int64_t d = 0; d < w.kernel[0]; ++d) {
    for (std::int64_t h = 0; h < w.kernel[1]; ++h) {
      for (std::int64_t x = 0; x < w.kernel[2]; ++x) body(Window::Extent{d, h, x}, index++);
    }
  }
}

/// One input plane times one kernel plane, added to one output plane.
template <typename T>
void add_plane(const Window& w, const T* x, const T* kernel, T* y) {
  for_each_tap(w, [&](const Window::Extent& tap, std::int64_t index) {
    const T weight = kernel[index];
    const std::int64_t stride = w.stride[2];
    for_each_tap_row(w, w.output, w.input, tap, [&](std::int64_t to, std::int64_t from, std::int64_t count) {
      const T* source = x + from;
      T* target = y + to;
      if (stride == 1) {
        for (std::int64_t i = 0; i < count; ++i) target[i] += weight * source[i];
      } else {
        for (std::int64_t i = 0; i < count; ++i) target[i] += weight * source[i * stride];
      }
    });
  });
}

/// The transposed relation: each input pixel is spread over the output.
template <typename T>
void spread_plane(const Window& w, const T* x, const T* kernel, T* y) {
  for_each_tap(w, [&](const Window::Extent& tap, std::int64_t index) {
    const T weight = kernel[index];
    const std::int64_t stride = w.stride[2];
    for_each_tap_row(w, w.input, w.output, tap, [&](std::int64_t from, std::int64_t to, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) y[to + i * stride] += weight * x[from + i];
    });
  });
}

template <typename T>
void fill_bias(const InputView& bias, const Shape& out, T* y) {
  const std::int64_t pixels = element_count(spatial_dims(out));
  for (std::int64_t plane = 0; plane < out[0] * out[1]; ++plane) {
    std::fill_n(y + plane * pixels, pixels, bias.present() ? bias.as<T>()[plane % out[1]] : T(0));
  }
}

template <typename T>
void conv_typed(const KernelCall& call) {
  const Shape& in = call.in(0).shape;
  const Shape& out = call.out().shape;
  const Window w = pooling_window(call.node, in, out, spatial_dims(call.in(1).shape));
  fill_bias(call.in(2), out, call.out().as<T>());
  convolve(w, in, out, call.node.integer("group", 1), call.in(0).as<T>(), call.in(1).as<T>(), call.out().as<T>());
}

template <typename T>
void conv_transpose_typed(const KernelCall& call) {
  const Shape& in = call.in(0).shape;
  const Shape& out = call.out().shape;
  const Window w = transposed_window(call.node, in, out, spatial_dims(call.in(1).shape));
  const std::int64_t groups = call.node.integer("group", 1);
  const std::int64_t group_inputs = in[1] / groups;
  const std::int64_t group_outputs = out[1] / groups;
  fill_bias(call.in(2), out, call.out().as<T>());
#pragma omp parallel for
  for (std::int64_t plane = 0; plane < out[0] * out[1]; ++plane) {
    const std::int64_t n = plane / out[1];
    const std::int64_t oc = plane % out[1];
    const std::int64_t first = oc / group_outputs * group_inputs;
    for (std::int64_t ic = first; ic < first + group_inputs; ++ic) {
      spread_plane(w, call.in(0).as<T>() + (n * in[1] + ic) * w.input_pixels(),
                   call.in(1).as<T>() + (ic * group_outputs + oc % group_outputs) * w.kernel_pixels(),
                   call.out().as<T>() + plane * w.output_pixels());
    }
  }
}

}  // namespace

template <typename T>
void convolve(const Window& w, const Shape& in, const Shape& out, std::int64_t groups, const T* x, const T* weights,
              T* y) {
  const std::int64_t group_inputs = in[1] / groups;
  const std::int64_t group_outputs = out[1] / groups;
#pragma omp parallel for
  for (std::int64_t plane = 0; plane < out[0] * out[1]; ++plane) {
    const std::int64_t oc = plane % out[1];
    const std::int64_t first = plane / out[1] * in[1] + oc / group_outputs * group_inputs;
    for (std::int64_t ic = 0; ic < group_inputs; ++ic) {
      add_plane(w, x + (first + ic) * w.input_pixels(), weights + (oc * group_inputs + ic) * w.kernel_pixels(),
                y + plane * w.output_pixels());
    }
  }
}

template void convolve<float>(const Window&, const Shape&, const Shape&, std::int64_t, const float*, const float*,
                              float*);
template void convolve<double>(const Window&, const Shape&, const Shape&, std::int64_t, const double*, const double*,
                               double*);
template void convolve<std::uint32_t>(const Window&, const Shape&, const Shape&, std::int64_t, const std::uint32_t*,
                                      const std::uint32_t*, std::uint32_t*);

void conv(const KernelCall& call) {
  dispatch<float, double>(call.out().dtype, [&](auto tag) { conv_typed<typename decltype(tag)::type>(call); });
}

void conv_transpose(const KernelCall& call) {
  dispatch<float, double>(call.out().dtype,
                          [&](auto tag) { conv_transpose_typed<typename decltype(tag)::type>(call); });
}

}  // namespace cleave::exec::reference
