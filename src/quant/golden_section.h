#pragma once

#include <cmath>

namespace cleave::quant {

/// An argument and its function's value there.
struct Minimum {
  double at = 0;
  double value = 0;
};

/// The minimum of a function with one valley in [lo, hi], to a relative width of `tolerance` of the argument.
template <typename Function>
Minimum golden_section(const Function& function, double lo, double hi, double tolerance) {
  const double ratio = 0.5 * (std::sqrt(5.0) - 1);
  double left = hi - ratio * (hi - lo);
  double right = lo + ratio * (hi - lo);
  double at_left = function(left);
  double at_right = function(right);
  while (hi - lo > tolerance * (std::abs(lo) + std::abs(hi))) {
    if (at_left < at_right) {
      hi = right;
      right = left;
      at_right = at_left;
      left = hi - ratio * (hi - lo);
      at_left = function(left);
    } else {
      lo = left;
      left = right;
      at_left = at_right;
      right = lo + ratio * (hi - lo);
      at_right = function(right);
    }
  }
  return at_left < at_right ? Minimum{left, at_left} : Minimum{right, at_right};
}

}  // namespace cleave::quant
