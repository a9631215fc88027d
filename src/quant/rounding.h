#pragma once

namespace cleave::quant {

/// Round half to even for |x| < 2^22: adding 1.5 * 2^23 leaves no fraction bits, and the FPU rounds half to even.
constexpr float round_half_even(float x) {
  constexpr float kShift = 12582912.0F;
  return (x + kShift) - kShift;
}

/// Round half to even for |x| < 2^51.
constexpr double round_half_even(double x) {
  constexpr double kShift = 6755399441055744.0;
  return (x + kShift) - kShift;
}

/// clamp(rne(x), lo, hi) for whole lo <= hi, any x; NaN gives lo. Clamping first changes nothing (rounding is
/// monotone and keeps whole numbers) and bounds the argument.
template <typename Real>
constexpr Real clamped_code(Real x, Real lo, Real hi) {
  return round_half_even(x > lo ? (x < hi ? x : hi) : lo);
}

}  // namespace cleave::quant
