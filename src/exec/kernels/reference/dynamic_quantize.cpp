#include <algorithm>
#include <cmath>

#include "exec/kernels/reference/kernels.h"

namespace cleave::exec::reference {

/// Codes 0 to 255 over the range of x widened to hold 0:
///     scale = (high - low) / 255,    zero point = round_half_even(-low / scale)
void dynamic_quantize_linear(const KernelCall& call) {
  constexpr float kMost = 255;
  const float* x = call.in(0).as<float>();
  const std::int64_t count = call.in(0).elements();
  float low = 0;
  float high = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
  }
  const float scale = high == low ? 1.0f : (high - low) / kMost;  // all zeros: any scale will do
  const float zero = std::nearbyint(std::clamp(-low / scale, 0.0f, kMost));
  for (std::int64_t i = 0; i < count; ++i) {
    const float code = std::nearbyint(x[i] / scale) + zero;
    const float raised = code > 0 ? code : 0;  // NaN becomes 0
    call.out(0).as<std::uint8_t>()[i] = static_cast<std::uint8_t>(std::min(raised, kMost));
  }
  if (call.outputs.size() > 1 && call.out(1).present()) *call.out(1).as<float>() = scale;
  if (call.outputs.size() > 2 && call.out(2).present()) {
    *call.out(2).as<std::uint8_t>() = static_cast<std::uint8_t>(zero);
  }
}

}  // namespace cleave::exec::reference
