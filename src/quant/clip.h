#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quant/bits.h"
#include "quant/histogram.h"
#include "quant/quantizer.h"

namespace cleave::quant {

/// How a clip is chosen. kAuto tries all others and keeps the one of least measured MSE.
enum class ClipMethod { kMinMax, kPercentile, kAciqLaplace, kAciqGauss, kMse, kAuto };

/// The ordered table of methods: name as on the command line, one line for people.
struct ClipMethodRow {
  ClipMethod method;
  const char* name;
  const char* what;
};
std::span<const ClipMethodRow> clip_methods();
std::string_view clip_method_name(ClipMethod method);
/// Throws Error(kUsage) with the list and "did you mean".
ClipMethod clip_method_from_name(const std::string& name);

/// ACIQ's multiplier at M = bits.count: clip = m * scale of the prior. Laplace: m e^m = 3*4^M (two-sided) or 12*4^M
/// (one-sided); Gauss: root of quant.md's derivative. Solved, not tabulated. Source: Banner et al. 2019.
double aciq_laplace_multiplier(Bits bits, bool one_sided);
double aciq_gauss_multiplier(Bits bits, bool one_sided);

/// A chosen quantizer of an activation tensor with its measured distortion.
struct ActivationChoice {
  AffineQuantizer quantizer;
  ClipMethod method;  ///< never kAuto
  double mse = 0;     ///< mean squared error over the values, in the tensor's unit squared
};

/// Best quantizer of activations by `method`. `one_sided`: the tensor follows a ReLU (min >= 0): ACIQ uses the
/// one-sided roots and non-negative data gets zero point 0.
/// percentile: 99.99 % of the mass (0.01 % cut off, shared between both sides when signed).
/// bits 2..8. Throws Error(kInvalidInput) for empty values.
ActivationChoice choose_activation(const WeightedValues& values, Bits bits, ClipMethod method);

/// Per-channel symmetric weights along `axis`, one clip per channel by `method`.
/// Dead channels (max|w| tiny beside the tensor's) get a floored scale so that int32 biases do not overflow.
struct WeightChoice {
  WeightQuantizer quantizer;
  std::vector<ClipMethod> methods;  ///< per channel
  double mse = 0;                   ///< over all elements
};
WeightChoice choose_weights(const Tensor& weights, int axis, Bits bits, ClipMethod method);

/// The exact MSE-optimal step of symmetric data on an integer grid [min_code, max_code], zero point 0: the global
/// minimum of f(s) = sum_i c_i (x_i - s clamp(rne(x_i / s)))^2 by a breakpoint sweep (no prior, no tuning).
/// Cost O(n * levels * log). Returns step and mean squared error.
struct StepChoice {
  double step = 1;
  double mse = 0;
};
StepChoice mse_optimal_step(const WeightedValues& values, const WeightGrid& grid);

/// Mean squared error of a quantizer, double arithmetic.
double affine_mse(const WeightedValues& values, const AffineQuantizer& quantizer);
double step_mse(const WeightedValues& values, double step, const WeightGrid& grid);

}  // namespace cleave::quant
