#include <algorithm>

#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/window.h"

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
void add_plane(const Window& w, const float* x, const float* kernel, float* y) {
  for_each_tap(w, [&](const Window::Extent& tap, std::int64_t index) {
    const float weight = kernel[index];
    const std::int64_t stride = w.stride[2];
    for_each_tap_row(w, w.output, w.input, tap, [&](std::int64_t to, std::int64_t from, std::int64_t count) {
      const float* source = x + from;
      float* target = y + to;
      if (stride == 1) {
        for (std::int64_t i = 0; i < count; ++i) target[i] += weight * source[i];
      } else {
        for (std::int64_t i = 0; i < count; ++i) target[i] += weight * source[i * stride];
      }
    });
  });
}

/// The transposed relation: each input pixel is spread over the output.
void spread_plane(const Window& w, const float* x, const float* kernel, float* y) {
  for_each_tap(w, [&](const Window::Extent& tap, std::int64_t index) {
    const float weight = kernel[index];
    const std::int64_t stride = w.stride[2];
    for_each_tap_row(w, w.input, w.output, tap, [&](std::int64_t from, std::int64_t to, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) y[to + i * stride] += weight * x[from + i];
    });
  });
}

void fill_bias(const InputView& bias, std::int64_t channel, float* y, std::int64_t count) {
  std::fill_n(y, count, bias.present() ? bias.as<float>()[channel] : 0.0f);
}

}  // namespace

void conv(const KernelCall& call) {
  const Shape& in = call.in(0).shape;
  const Shape& out = call.out().shape;
  const Window w = pooling_window(call.node, in, out, spatial_dims(call.in(1).shape));
  const std::int64_t group_inputs = call.in(1).shape[1];
  const std::int64_t group_outputs = out[1] / call.node.integer("group", 1);
#pragma omp parallel for collapse(2)
  for (std::int64_t n = 0; n < out[0]; ++n) {
    for (std::int64_t oc = 0; oc < out[1]; ++oc) {
      float* y = call.out().as<float>() + (n * out[1] + oc) * w.output_pixels();
      fill_bias(call.in(2), oc, y, w.output_pixels());
      const std::int64_t first = oc / group_outputs * group_inputs;
      for (std::int64_t ic = 0; ic < group_inputs; ++ic) {
        add_plane(w, call.in(0).as<float>() + (n * in[1] + first + ic) * w.input_pixels(),
                  call.in(1).as<float>() + (oc * group_inputs + ic) * w.kernel_pixels(), y);
      }
    }
  }
}

void conv_transpose(const KernelCall& call) {
  const Shape& in = call.in(0).shape;
  const Shape& out = call.out().shape;
  const Window w = transposed_window(call.node, in, out, spatial_dims(call.in(1).shape));
  const std::int64_t groups = call.node.integer("group", 1);
  const std::int64_t group_inputs = in[1] / groups;
  const std::int64_t group_outputs = out[1] / groups;
#pragma omp parallel for collapse(2)
  for (std::int64_t n = 0; n < out[0]; ++n) {
    for (std::int64_t oc = 0; oc < out[1]; ++oc) {
      float* y = call.out().as<float>() + (n * out[1] + oc) * w.output_pixels();
      fill_bias(call.in(2), oc, y, w.output_pixels());
      const std::int64_t first = oc / group_outputs * group_inputs;
      for (std::int64_t ic = first; ic < first + group_inputs; ++ic) {
        spread_plane(w, call.in(0).as<float>() + (n * in[1] + ic) * w.input_pixels(),
                     call.in(1).as<float>() + (ic * group_outputs + oc % group_outputs) * w.kernel_pixels(), y);
      }
    }
  }
}

}  // namespace cleave::exec::reference
