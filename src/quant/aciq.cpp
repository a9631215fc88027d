#include "quant/aciq.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/check.h"

namespace cleave::quant {

namespace {

const double kSqrt2OverPi = std::sqrt(2 / std::numbers::pi);

/// 4^M, with the bit that a one-sided range gains.
double squared_cells(Bits bits, bool one_sided) {
  CLEAVE_CHECK(bits.count >= 1 && bits.count <= 16, "a multiplier is for 1 to 16 bits");
  return std::pow(4.0, bits.count + (one_sided ? 1 : 0));
}

/// The zero of an increasing function in [0, 64].
template <typename Function>
double root(const Function& function) {
  double lo = 0;
  double hi = 64;
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (lo + hi);
    (function(middle) < 0 ? lo : hi) = middle;
  }
  return 0.5 * (lo + hi);
}

template <typename Term>
double mean_of_nonzeros(const WeightedValues& values, const Term& term) {
  double sum = 0;
  double total = 0;
  for (std::size_t i = 0; i < values.values.size(); ++i) {
    if (values.values[i] == 0) continue;
    sum += values.counts[i] * term(values.values[i]);
    total += values.counts[i];
  }
  return total > 0 ? sum / total : 0;
}

}  // namespace

double aciq_laplace_multiplier(Bits bits, bool one_sided) {
  const double right = std::log(3 * squared_cells(bits, one_sided));
  return root([right](double m) { return m + std::log(m) - right; });
}

double aciq_gauss_multiplier(Bits bits, bool one_sided) {
  const double cells = 3 * squared_cells(bits, one_sided);
  return root([cells](double m) {
    return m * std::erfc(m / std::numbers::sqrt2) - kSqrt2OverPi * std::exp(-0.5 * m * m) + m / cells;
  });
}

double aciq_laplace_mse(double multiplier, Bits bits, bool one_sided) {
  return 2 * std::exp(-multiplier) + multiplier * multiplier / (3 * squared_cells(bits, one_sided));
}

double aciq_gauss_mse(double multiplier, Bits bits, bool one_sided) {
  const double m = multiplier;
  const double tails = (1 + m * m) * std::erfc(m / std::numbers::sqrt2) - kSqrt2OverPi * m * std::exp(-0.5 * m * m);
  return tails + m * m / (3 * squared_cells(bits, one_sided));
}

Prior laplace_prior(const WeightedValues& values) {
  return {values.mean(), values.mean_absolute_deviation()};
}

Prior gauss_prior(const WeightedValues& values) {
  const double sample = values.total > 1 ? values.total / (values.total - 1) : 1;
  return {values.mean(), std::sqrt(values.variance() * sample)};
}

Prior laplace_prior_of_nonzeros(const WeightedValues& values) {
  return {0, mean_of_nonzeros(values, [](double x) { return std::abs(x); })};
}

Prior gauss_prior_of_nonzeros(const WeightedValues& values) {
  return {0, std::sqrt(mean_of_nonzeros(values, [](double x) { return x * x; }))};
}

Range aciq_one_sided_range(const Prior& prior, double multiplier) {
  return {0, std::max(prior.mean, 0.0) + multiplier * prior.scale};
}

Range aciq_signed_range(const Prior& prior, double multiplier, double min) {
  const double lo = std::max(min, prior.mean - multiplier * prior.scale);
  return {lo, lo + 2 * multiplier * prior.scale};
}

double aciq_symmetric_clip(const Prior& prior, double multiplier, double max_magnitude) {
  return std::min(std::abs(prior.mean) + multiplier * prior.scale, max_magnitude);
}

}  // namespace cleave::quant
