#include <algorithm>
#include <cmath>
#include <limits>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/walk.h"

namespace cleave::exec::reference {
namespace {

/// Mean and 1 / sqrt(variance + epsilon) of `count` neighbours.
struct Moments {
  double mean = 0;
  double inverse_deviation = 0;
};

template <typename T>
Moments moments_of(const T* x, std::int64_t count, double epsilon) {
  Moments m;
  for (std::int64_t i = 0; i < count; ++i) m.mean += static_cast<double>(x[i]);
  m.mean /= static_cast<double>(count);
  double variance = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double distance = static_cast<double>(x[i]) - m.mean;
    variance += distance * distance;
  }
  m.inverse_deviation = 1 / std::sqrt(variance / static_cast<double>(count) + epsilon);
  return m;
}

template <typename T>
T normalized(T x, const Moments& m) {
  return static_cast<T>((static_cast<double>(x) - m.mean) * m.inverse_deviation);
}

template <typename T>
void instance_normalization_typed(const KernelCall& call) {
  const Shape& shape = call.in(0).shape;
  const double epsilon = static_cast<double>(call.node.number("epsilon", 1e-5f));
  const std::int64_t planes = shape[0] * shape[1];
  const std::int64_t pixels = planes == 0 ? 0 : call.in(0).elements() / planes;
#pragma omp parallel for
  for (std::int64_t plane = 0; plane < planes; ++plane) {
    const T* x = call.in(0).as<T>() + plane * pixels;
    T* y = call.out().as<T>() + plane * pixels;
    const Moments m = moments_of(x, pixels, epsilon);
    const std::int64_t c = plane % shape[1];
    for (std::int64_t i = 0; i < pixels; ++i) {
      y[i] = normalized(x[i], m) * call.in(1).as<T>()[c] + call.in(2).as<T>()[c];
    }
  }
}

template <typename T>
void layer_normalization_typed(const KernelCall& call) {
  const Shape& shape = call.in(0).shape;
  const double epsilon = static_cast<double>(call.node.number("epsilon", 1e-5f));
  const std::size_t axis = axis_index(call.node.integer("axis", -1), shape.size());
  const std::int64_t count = element_count(Shape(shape.begin() + static_cast<std::ptrdiff_t>(axis), shape.end()));
  const std::int64_t rows = count == 0 ? 0 : call.in(0).elements() / count;
  const auto write_statistic = [&](std::size_t output, std::int64_t row, double value) {
    if (output < call.outputs.size() && call.out(output).present()) {
      call.out(output).as<float>()[row] = static_cast<float>(value);
    }
  };
#pragma omp parallel for
  for (std::int64_t row = 0; row < rows; ++row) {
    const T* x = call.in(0).as<T>() + row * count;
    T* y = call.out().as<T>() + row * count;
    const Moments m = moments_of(x, count, epsilon);
    write_statistic(1, row, m.mean);
    write_statistic(2, row, m.inverse_deviation);
    for (std::int64_t i = 0; i < count; ++i) {
      const T shift = call.in(2).present() ? call.in(2).as<T>()[i] : T{0};
      y[i] = normalized(x[i], m) * call.in(1).as<T>()[i] + shift;
    }
  }
}

template <typename T>
void group_normalization_typed(const KernelCall& call) {
  const Shape& shape = call.in(0).shape;
  const double epsilon = static_cast<double>(call.node.number("epsilon", 1e-5f));
  const std::int64_t groups = call.node.integer("num_groups", 1);
  const std::int64_t pixels = element_count(Shape(shape.begin() + 2, shape.end()));
  const std::int64_t channels = shape[1] / groups;
  // Opset 18 scales groups, opset 21 channels.
  const std::int64_t channels_per_scale = call.in(1).elements() == groups ? channels : 1;
  for (std::int64_t group = 0; group < shape[0] * groups && pixels > 0; ++group) {
    const std::int64_t start = group * channels * pixels;
    const Moments m = moments_of(call.in(0).as<T>() + start, channels * pixels, epsilon);
    for (std::int64_t i = 0; i < channels * pixels; ++i) {
      const std::int64_t c = (group % groups * channels + i / pixels) / channels_per_scale;
      const T x = call.in(0).as<T>()[start + i];
      call.out().as<T>()[start + i] = normalized(x, m) * call.in(1).as<T>()[c] + call.in(2).as<T>()[c];
    }
  }
}

template <typename T>
void lrn_typed(const KernelCall& call) {
  const Shape& shape = call.in(0).shape;
  const std::int64_t size = call.node.integer("size", 1);
  const T alpha = static_cast<T>(call.node.number("alpha", 1e-4f)) / static_cast<T>(size);
  const T beta = static_cast<T>(call.node.number("beta", 0.75f));
  const T bias = static_cast<T>(call.node.number("bias", 1.0f));
  const std::int64_t pixels = call.in(0).elements() / std::max<std::int64_t>(shape[0] * shape[1], 1);
#pragma omp parallel for collapse(2)
  for (std::int64_t n = 0; n < shape[0]; ++n) {
    for (std::int64_t c = 0; c < shape[1]; ++c) {
      const T* x = call.in(0).as<T>() + n * shape[1] * pixels;
      T* y = call.out().as<T>() + n * shape[1] * pixels;
      const std::int64_t first = std::max<std::int64_t>(0, c - (size - 1) / 2);
      const std::int64_t end = std::min(shape[1], c + size / 2 + 1);
      for (std::int64_t i = 0; i < pixels; ++i) {
        T squares = 0;
        for (std::int64_t k = first; k < end; ++k) squares += x[k * pixels + i] * x[k * pixels + i];
        y[c * pixels + i] = x[c * pixels + i] / std::pow(bias + alpha * squares, beta);
      }
    }
  }
}

template <typename T>
void softmax_typed(const KernelCall& call) {
  const InputView& in = call.in(0);
  const bool logarithm = call.node.op == "LogSoftmax";
  const std::size_t axis = axis_index(call.node.integer("axis", -1), in.shape.size());
  const std::int64_t count = in.shape[axis];
  const std::int64_t x_step = in.strides[axis];
  const std::int64_t y_step = call.out().strides[axis];
  const auto one_row = [&](const T* x, T* y) {
    T peak = std::numeric_limits<T>::lowest();
    for (std::int64_t i = 0; i < count; ++i) peak = std::max(peak, x[i * x_step]);
    T sum = 0;
    for (std::int64_t i = 0; i < count; ++i) sum += std::exp(x[i * x_step] - peak);
    const T log_sum = std::log(sum);
    for (std::int64_t i = 0; i < count; ++i) {
      const T shifted = x[i * x_step] - peak;
      y[i * y_step] = logarithm ? shifted - log_sum : std::exp(shifted) / sum;
    }
  };
  Shape rows = in.shape;
  rows[axis] = 1;
  walk_rows<2>(rows, {call.out().strides, in.strides},
               [&](const Offsets<2>& at, std::int64_t runs, const Offsets<2>& step) {
                 for (std::int64_t i = 0; i < runs; ++i) {
                   one_row(in.as<T>() + at[1] + i * step[1], call.out().as<T>() + at[0] + i * step[0]);
                 }
               });
}

}  // namespace

void instance_normalization(const KernelCall& call) {
  dispatch<float, double>(call.in(0).dtype,
                          [&](auto tag) { instance_normalization_typed<typename decltype(tag)::type>(call); });
}

void layer_normalization(const KernelCall& call) {
  dispatch<float, double>(call.in(0).dtype,
                          [&](auto tag) { layer_normalization_typed<typename decltype(tag)::type>(call); });
}

void group_normalization(const KernelCall& call) {
  dispatch<float, double>(call.in(0).dtype,
                          [&](auto tag) { group_normalization_typed<typename decltype(tag)::type>(call); });
}

void lrn(const KernelCall& call) {
  dispatch<float, double>(call.in(0).dtype, [&](auto tag) { lrn_typed<typename decltype(tag)::type>(call); });
}

void softmax(const KernelCall& call) {
  dispatch<float, double>(call.in(0).dtype, [&](auto tag) { softmax_typed<typename decltype(tag)::type>(call); });
}

}  // namespace cleave::exec::reference
