#include <cmath>
#include <limits>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/walk.h"

namespace cleave::exec::reference {
namespace {

/// Strides that read a per-axis parameter (scale, zero point) along with x: 1 along the axis, 0 elsewhere.
Strides parameter_strides(const KernelCall& call) {
  const std::size_t rank = call.in(0).shape.size();
  Strides strides(rank, 0);
  if (call.in(1).elements() > 1) strides[axis_index(call.node.integer("axis", 1), rank)] = 1;
  return strides;
}

template <typename Q>
void quantize_to(const KernelCall& call) {
  const Strides parameter = parameter_strides(call);
  const float* x = call.in(0).as<float>();
  const float* scale = call.in(1).as<float>();
  const Q* zero_point = call.in(2).present() ? call.in(2).as<Q>() : nullptr;
  Q* y = call.out().as<Q>();
  constexpr float kLow = std::numeric_limits<Q>::min();
  constexpr float kHigh = std::numeric_limits<Q>::max();
  walk_rows<3>(call.out().shape, {call.out().strides, call.in(0).strides, parameter},
               [&](const Offsets<3>& at, std::int64_t count, const Offsets<3>& step) {
                 for (std::int64_t i = 0; i < count; ++i) {
                   const std::int64_t p = at[2] + i * step[2];
                   const float zero = zero_point == nullptr ? 0.0f : static_cast<float>(zero_point[p]);
                   const float code = std::nearbyint(x[at[1] + i * step[1]] / scale[p]) + zero;
                   const float raised = code > kLow ? code : kLow;  // NaN becomes the lowest code
                   y[at[0] + i * step[0]] = static_cast<Q>(raised < kHigh ? raised : kHigh);
                 }
               });
}

template <typename Q>
void dequantize_from(const KernelCall& call) {
  const Strides parameter = parameter_strides(call);
  const Q* x = call.in(0).as<Q>();
  const float* scale = call.in(1).as<float>();
  const Q* zero_point = call.in(2).present() ? call.in(2).as<Q>() : nullptr;
  float* y = call.out().as<float>();
  walk_rows<3>(call.out().shape, {call.out().strides, call.in(0).strides, parameter},
               [&](const Offsets<3>& at, std::int64_t count, const Offsets<3>& step) {
                 for (std::int64_t i = 0; i < count; ++i) {
                   const std::int64_t p = at[2] + i * step[2];
                   const std::int64_t zero = zero_point == nullptr ? 0 : zero_point[p];
                   const std::int64_t steps = x[at[1] + i * step[1]] - zero;
                   y[at[0] + i * step[0]] = static_cast<float>(steps) * scale[p];
                 }
               });
}

}  // namespace

void quantize_linear(const KernelCall& call) {
  dispatch<std::uint8_t, std::int8_t>(call.out().dtype,
                                      [&](auto tag) { quantize_to<typename decltype(tag)::type>(call); });
}

void dequantize_linear(const KernelCall& call) {
  dispatch<std::uint8_t, std::int8_t, std::int32_t>(
      call.in(0).dtype, [&](auto tag) { dequantize_from<typename decltype(tag)::type>(call); });
}

}  // namespace cleave::exec::reference
