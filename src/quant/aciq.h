#pragma once

#include "quant/bits.h"
#include "quant/histogram.h"
#include "quant/quantizer.h"

namespace cleave::quant {

/// ACIQ: the clip that minimises a closed form of the error under a prior. Source: Banner, Nahshan, Soudry, "Post
/// training 4-bit quantization of convolutional networks for rapid-deployment", NeurIPS 2019.
///
/// Laplace(0, b):  E(a) = 2 b^2 e^(-a/b) + a^2 / (3 * 4^M)
/// Gauss(0, s):    E(a) = (s^2 + a^2) erfc(a / (s sqrt 2)) - sqrt(2/pi) a s e^(-a^2 / (2 s^2)) + a^2 / (3 * 4^M)
///
/// One-sided (after a ReLU, all 2^M codes on [0, a]; b and s are those of the signed density before the ReLU): the same
/// with one bit more, as the error of a positive value; values cut to zero have none.

/// Root of dE/da = 0 in units of b or s: m e^m = 3 * 4^M (Laplace), m erfc(m / sqrt 2) - sqrt(2/pi) e^(-m^2/2) +
/// m / (3 * 4^M) = 0 (Gauss). Solved, not tabulated.
double aciq_laplace_multiplier(Bits bits, bool one_sided);
double aciq_gauss_multiplier(Bits bits, bool one_sided);

/// E(multiplier) for b = 1 or s = 1; one-sided: given that the value is positive.
double aciq_laplace_mse(double multiplier, Bits bits, bool one_sided);
double aciq_gauss_mse(double multiplier, Bits bits, bool one_sided);

/// A prior's parameters: mean, and b = E|x - mean| (Laplace) or s = the sample's standard deviation (n - 1; Gauss).
struct Prior {
  double mean = 0;
  double scale = 0;
};
Prior laplace_prior(const WeightedValues& values);
Prior gauss_prior(const WeightedValues& values);
/// The signed density before a ReLU, guessed from what is left of it: mean 0 and, over the values that are not zero,
/// E|x| or sqrt(E[x^2]). Scale 0 when all are zero.
Prior laplace_prior_of_nonzeros(const WeightedValues& values);
Prior gauss_prior_of_nonzeros(const WeightedValues& values);

/// Range after a ReLU: [0, max(mean, 0) + multiplier * scale].
Range aciq_one_sided_range(const Prior& prior, double multiplier);
/// Range of signed values: lo = max(min, mean - multiplier * scale), hi = lo + 2 * multiplier * scale.
Range aciq_signed_range(const Prior& prior, double multiplier, double min);
/// Clip of symmetric weights: min(|mean| + multiplier * scale, max_magnitude).
double aciq_symmetric_clip(const Prior& prior, double multiplier, double max_magnitude);

}  // namespace cleave::quant
