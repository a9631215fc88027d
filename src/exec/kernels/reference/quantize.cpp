#include <cmath>
#include <limits>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/nibbles.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/walk.h"

namespace cleave::exec::reference {
namespace {

/// How scales and zero points lie beside the tensor: one for all, one per index of an axis, or one per block of
/// neighbours along the axis.
struct Parameters {
  Strides strides;  ///< as x is walked; along a blocked axis 0
  std::size_t axis = 0;
  std::int64_t block = 0;  ///< 0: not blocked
  std::int64_t axis_stride = 0;
};

Parameters parameters_of(const KernelCall& call) {
  const Shape& shape = call.in(0).shape;
  const InputView& scale = call.in(1);
  Parameters p;
  p.strides.assign(shape.size(), 0);
  p.block = call.node.integer("block_size", 0);
  if (scale.elements() <= 1 && p.block == 0) return p;
  p.axis = axis_index(call.node.integer("axis", 1), shape.size());
  if (p.block == 0) {
    p.strides[p.axis] = 1;
  } else {
    p.strides = strides_of(scale.shape, Layout::kPlain);
    p.axis_stride = p.strides[p.axis];
    p.strides[p.axis] = 0;
  }
  return p;
}

/// Calls one(y_offset, x_offset, parameter_offset) for each element.
template <typename One>
void for_each_element(const Parameters& p, const Shape& shape, const Strides& to, const Strides& from, One&& one) {
  const auto piece = [&](const Shape& part, const Offsets<3>& start) {
    walk_rows<3>(part, {to, from, p.strides}, [&](const Offsets<3>& at, std::int64_t count, const Offsets<3>& step) {
      for (std::int64_t i = 0; i < count; ++i) {
        one(start[0] + at[0] + i * step[0], start[1] + at[1] + i * step[1], start[2] + at[2] + i * step[2]);
      }
    });
  };
  if (p.block == 0) return piece(shape, {0, 0, 0});
  Shape slice = shape;
  slice[p.axis] = 1;
  for (std::int64_t i = 0; i < shape[p.axis]; ++i) {
    piece(slice, {i * to[p.axis], i * from[p.axis], i / p.block * p.axis_stride});
  }
}

struct CodeRange {
  float low = 0;
  float high = 0;
};

template <typename Q>
CodeRange code_range(DType dtype) {
  if (dtype == DType::kInt4) return {-8, 7};
  if (dtype == DType::kUint4) return {0, 15};
  return {std::numeric_limits<Q>::min(), std::numeric_limits<Q>::max()};
}

/// y = saturate(round_half_even(x / scale) + zero_point)
template <typename Q, typename X>
void quantize(const KernelCall& call, const X* x, const Q* zero_point, Q* y) {
  const float* scale = call.in(1).as<float>();
  const CodeRange range = code_range<Q>(call.out().dtype);
  for_each_element(parameters_of(call), call.out().shape, call.out().strides, call.in(0).strides,
                   [&](std::int64_t to, std::int64_t from, std::int64_t p) {
                     const float zero = zero_point == nullptr ? 0.0f : static_cast<float>(zero_point[p]);
                     const float code = std::nearbyint(static_cast<float>(x[from]) / scale[p]) + zero;
                     const float raised = code > range.low ? code : range.low;  // NaN becomes the lowest code
                     y[to] = static_cast<Q>(raised < range.high ? raised : range.high);
                   });
}

/// y = (x - zero_point) * scale
template <typename Q>
void dequantize(const KernelCall& call, const Q* x, const Q* zero_point) {
  const float* scale = call.in(1).as<float>();
  float* y = call.out().as<float>();
  for_each_element(parameters_of(call), call.out().shape, call.out().strides, call.in(0).strides,
                   [&](std::int64_t to, std::int64_t from, std::int64_t p) {
                     const std::int64_t zero = zero_point == nullptr ? 0 : zero_point[p];
                     y[to] = static_cast<float>(static_cast<std::int64_t>(x[from]) - zero) * scale[p];
                   });
}

template <typename Q>
std::vector<Q> unpacked(const InputView& view) {
  return unpack_nibbles<Q>(view.data, view.present() ? view.elements() : 0);
}

template <typename Q, typename X>
void quantize_to_nibbles(const KernelCall& call) {
  const std::vector<Q> zero_points = unpacked<Q>(call.in(2));
  std::vector<Q> codes(static_cast<std::size_t>(call.out().elements()));
  quantize<Q>(call, call.in(0).as<X>(), call.in(2).present() ? zero_points.data() : nullptr, codes.data());
  pack_nibbles(codes, call.out().data);
}

template <typename Q>
void dequantize_nibbles(const KernelCall& call) {
  const std::vector<Q> zero_points = unpacked<Q>(call.in(2));
  dequantize<Q>(call, unpacked<Q>(call.in(0)).data(), call.in(2).present() ? zero_points.data() : nullptr);
}

template <typename X>
void quantize_from(const KernelCall& call) {
  const DType to = call.out().dtype;
  if (to == DType::kInt4) return quantize_to_nibbles<std::int8_t, X>(call);
  if (to == DType::kUint4) return quantize_to_nibbles<std::uint8_t, X>(call);
  dispatch<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t>(to, [&](auto tag) {
    using Q = typename decltype(tag)::type;
    quantize<Q>(call, call.in(0).as<X>(), call.in(2).present() ? call.in(2).as<Q>() : nullptr, call.out().as<Q>());
  });
}

}  // namespace

void quantize_linear(const KernelCall& call) {
  dispatch<float, std::int32_t>(call.in(0).dtype, [&](auto tag) { quantize_from<typename decltype(tag)::type>(call); });
}

void dequantize_linear(const KernelCall& call) {
  const DType from = call.in(0).dtype;
  if (from == DType::kInt4) return dequantize_nibbles<std::int8_t>(call);
  if (from == DType::kUint4) return dequantize_nibbles<std::uint8_t>(call);
  dispatch<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::int32_t>(from, [&](auto tag) {
    using Q = typename decltype(tag)::type;
    dequantize<Q>(call, call.in(0).as<Q>(), call.in(2).present() ? call.in(2).as<Q>() : nullptr);
  });
}

}  // namespace cleave::exec::reference
