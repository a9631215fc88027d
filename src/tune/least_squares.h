#pragma once

#include <span>
#include <vector>

namespace cleave::tune {

/// Second moments of one group's columns x and of the targets y of its rows, K entries and R rows.
struct Moments {
  std::span<const double> hessian;       ///< 2 E[x x^T], [K, K]
  std::span<const double> products;      ///< E[y x^T], [R, K]
  std::span<const double> mean_inputs;   ///< E[x], [K]
  std::span<const double> mean_targets;  ///< E[y], [R]
};

/// The weights V, near given ones W, that come nearest to the targets together with the best constant:
///
///     min_{v, c} E[(y - v x - c)^2] + lambda |v - w|^2:   V = W + (S_yx - W S_xx) (S_xx + lambda I)^-1,
///     S_xx = E[x x^T] - E[x] E[x]^T,  S_yx = E[y x^T] - E[y] E[x]^T,  lambda = damping * mean diagonal of S_xx.
///
/// Where the inputs carry rounding noise that the targets do not, V leans on the inputs that are less noisy.
struct LeastSquares {
  std::vector<float> weights;           ///< V, [R, K]
  std::vector<double> centred_hessian;  ///< 2 S_xx: the one that rounding V must use
};
/// weights: W, [R, K]. damping > 0. Cost O(K^3 + R K^2).
LeastSquares least_squares(std::span<const float> weights, const Moments& moments, double damping);

}  // namespace cleave::tune
