#pragma once

#include "exec/kernels/simd/kernels.h"
#include "exec/kernels/simd/vector.h"

namespace cleave::exec::simd {
namespace {

/// Values before rounding, clamped so that the code lies in range: bounds are integers, so the order does not matter,
/// and the conversion to int32 cannot overflow.
struct RoundToCode {
  Float low;
  Float high;
  Int zero_point;
  explicit RoundToCode(const CodeRange& r)
      : low(splat(static_cast<float>(r.low - r.zero_point))),
        high(splat(static_cast<float>(r.high - r.zero_point))),
        zero_point(splat(r.zero_point)) {}
  Int operator()(Float x) const { return round(clamp(x, low, high)) + zero_point; }
};

}  // namespace
}  // namespace cleave::exec::simd
