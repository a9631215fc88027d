// Products of codes: exact int32 sums of (x - zero point) * (w - zero point). Sums wrap where they leave 32 bits, so
// they are made in uint32.
#include <cmath>
#include <limits>
#include <vector>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/convolve.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/reference/matrix_product.h"

namespace cleave::exec::reference {
namespace {

using Sums = std::vector<std::uint32_t>;

std::int32_t code_at(const InputView& codes, std::int64_t i) {
  return codes.dtype == DType::kInt8 ? codes.as<std::int8_t>()[i] : codes.as<std::uint8_t>()[i];
}

/// Elements per index of `axis` and how often the axis comes round.
std::int64_t inner_size(const Shape& shape, std::size_t axis) {
  return element_count(Shape(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end()));
}

/// x - zero point, which is absent, one for all, or one per index of `axis`.
Sums centered(const InputView& codes, const InputView& zero_point, std::size_t axis) {
  Sums values(static_cast<std::size_t>(codes.elements()));
  const bool many = zero_point.present() && zero_point.elements() > 1;
  const std::int64_t inner = many ? inner_size(codes.shape, axis) : 1;
  for (std::int64_t i = 0; i < codes.elements(); ++i) {
    const std::int64_t z = many ? i / inner % codes.shape[axis] : 0;
    const std::int32_t zero = zero_point.present() ? code_at(zero_point, z) : 0;
    values[static_cast<std::size_t>(i)] = static_cast<std::uint32_t>(code_at(codes, i) - zero);
  }
  return values;
}

float scale_at(const InputView& scale, std::int64_t i) {
  return scale.as<float>()[scale.elements() > 1 ? i : 0];
}

/// saturate(round_half_even(sum * factor) + zero point)
template <typename Q>
Q requantized(std::uint32_t sum, float factor, float zero) {
  const float code = std::nearbyint(static_cast<float>(static_cast<std::int32_t>(sum)) * factor) + zero;
  return static_cast<Q>(std::clamp<float>(code, std::numeric_limits<Q>::min(), std::numeric_limits<Q>::max()));
}

/// Writes codes; factor(i) is input scale * weight scale / output scale of element i.
template <typename Factor>
void write_codes(const KernelCall& call, const Sums& sums, const InputView& zero_point, Factor&& factor) {
  const auto zero = static_cast<float>(code_at(zero_point, 0));
  dispatch<std::uint8_t, std::int8_t>(call.out().dtype, [&](auto tag) {
    using Q = typename decltype(tag)::type;
    Q* y = call.out().as<Q>();
    for (std::size_t i = 0; i < sums.size(); ++i) {
      y[i] = requantized<Q>(sums[i], factor(static_cast<std::int64_t>(i)), zero);
    }
  });
}

void write_sums(const OutputView& out, const Sums& sums) {
  std::copy(sums.begin(), sums.end(), out.as<std::uint32_t>());
}

struct Codes {
  const InputView& values;
  const InputView& zero_point;
};

Sums convolution_sums(const KernelCall& call, const Codes& x, const Codes& weights, const InputView& bias) {
  const Shape& out = call.out().shape;
  const Window w = pooling_window(call.node, x.values.shape, out, spatial_dims(weights.values.shape));
  Sums sums(static_cast<std::size_t>(element_count(out)));
  if (bias.present()) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const std::int64_t channel = static_cast<std::int64_t>(i) / w.output_pixels() % out[1];
      sums[i] = static_cast<std::uint32_t>(bias.as<std::int32_t>()[channel]);
    }
  }
  const Sums from = centered(x.values, x.zero_point, 1);
  const Sums kernel = centered(weights.values, weights.zero_point, 0);
  convolve(w, x.values.shape, out, call.node.integer("group", 1), from.data(), kernel.data(), sums.data());
  return sums;
}

/// A zero point per row of a, one per column of b.
Sums product_sums(const KernelCall& call, const Codes& a, const Codes& b) {
  const std::size_t row_axis = a.values.shape.size() < 2 ? 0 : a.values.shape.size() - 2;
  const Sums left = centered(a.values, a.zero_point, row_axis);
  const Sums right = centered(b.values, b.zero_point, b.values.shape.size() - 1);
  Sums sums(static_cast<std::size_t>(call.out().elements()));
  matrix_product(a.values.shape, left.data(), b.values.shape, right.data(), sums.data());
  return sums;
}

}  // namespace

void conv_integer(const KernelCall& call) {
  write_sums(call.out(), convolution_sums(call, {call.in(0), call.in(2)}, {call.in(1), call.in(3)}, InputView{}));
}

void matmul_integer(const KernelCall& call) {
  write_sums(call.out(), product_sums(call, {call.in(0), call.in(2)}, {call.in(1), call.in(3)}));
}

void qlinear_conv(const KernelCall& call) {
  const Shape& out = call.out().shape;
  const std::int64_t pixels = element_count(spatial_dims(out));
  const Sums sums = convolution_sums(call, {call.in(0), call.in(2)}, {call.in(3), call.in(5)}, call.in(8));
  write_codes(call, sums, call.in(7), [&](std::int64_t i) {
    return scale_at(call.in(1), 0) * scale_at(call.in(4), i / pixels % out[1]) / scale_at(call.in(6), 0);
  });
}

void qlinear_matmul(const KernelCall& call) {
  const std::int64_t columns = as_matrix(call.in(3).shape, true).back();
  const Shape rows_of = as_matrix(call.in(0).shape, false);
  const std::int64_t rows = rows_of[rows_of.size() - 2];
  const Sums sums = product_sums(call, {call.in(0), call.in(2)}, {call.in(3), call.in(5)});
  write_codes(call, sums, call.in(7), [&](std::int64_t i) {
    return scale_at(call.in(1), i / columns % rows) * scale_at(call.in(4), i % columns) / scale_at(call.in(6), 0);
  });
}

}  // namespace cleave::exec::reference
