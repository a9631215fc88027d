#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace cleave::quant {

/// Largest code of the symmetric 16-bit grid: codes -32767..32767, zero point 0.
inline constexpr std::int32_t kWideLimit = 32767;

/// The step of the grid that reaches `magnitude` (>= 0, finite): magnitude / 32767 in float32; 1 where that is below
/// the smallest normal float.
float wide_step(double magnitude);

/// Weights on the grid of their slice along `axis`, step max|w| / 32767: clamp(rne(w / step)) * step, all in float32.
/// 16 bits resolve max|w| far beyond what a clip could win, so there is none.
/// Throws Error(kInvalidInput) for a weight that is not finite.
Tensor on_wide_grid(const Tensor& weights, int axis);

}  // namespace cleave::quant
