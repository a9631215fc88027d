#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quant/aciq.h"
#include "quant/activation_values.h"
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

/// A chosen quantizer of an activation tensor with its measured distortion.
struct ActivationChoice {
  AffineQuantizer quantizer;
  ClipMethod method = ClipMethod::kMinMax;  ///< never kAuto
  double mse = 0;                           ///< mean squared error over the values, in the tensor's unit squared
};

/// Best quantizer of activations by `method`, zero always exact. Values without a negative one count as following a
/// ReLU: zero point 0, and ACIQ takes its one-sided roots with the prior of the non-zeros (aciq.h); the range is then
/// not limited to the largest value seen.
///
///     minmax      [min, max]
///     percentile  keeps 99.99 % of the values: cuts 0.01 % at the top, or 0.005 % at each end of signed values
///     mse         the global minimum over all steps and zero points (StepSearch)
///     auto        the least measured MSE; of equals the first in the table
///
/// bits 1..8. Throws Error(kInvalidInput) for empty values.
ActivationChoice choose_activation(const ActivationValues& seen, Bits bits, ClipMethod method);

/// A scale below this part of its tensor's largest one is raised to it. int32 biases have the scale s_x s_w: as
/// |bias / (s_x s_w)| is about 2^15 where s_w is largest (8-bit inputs times 8-bit weights), 2^-16 keeps them in range,
/// and costs a channel at most a 2^-17 part of the tensor's largest step per weight.
inline constexpr double kSmallestScaleRatio = 1.0 / 65536;

/// Per-channel symmetric weights along `axis`, one clip c per channel by `method`, step c / levels of
/// WeightGrid::of(bits). ACIQ clips at min(|mean| + m * scale, max|w|); percentile at 99.99 % of |w|.
/// Dead channels (max|w| tiny beside the tensor's) get scale kSmallestScaleRatio of the largest scale, so that biases
/// stay in int32; an all-zero tensor gets scale 1.
/// bits 2..8. Throws Error(kInvalidInput) for a weight that is not finite.
struct WeightChoice {
  WeightQuantizer quantizer;
  std::vector<ClipMethod> methods;  ///< per channel
  double mse = 0;                   ///< over all elements, with the scales as they are (float32, floored)
};
WeightChoice choose_weights(const Tensor& weights, int axis, Bits bits, ClipMethod method);

/// Mean squared error over all elements of quantized weights, double arithmetic.
double weight_mse(const Tensor& weights, const WeightQuantizer& quantizer);

/// A step on a symmetric grid with its mean squared error.
struct StepChoice {
  double step = 1;
  double mse = 0;
  ClipMethod method = ClipMethod::kMse;  ///< never kAuto
};

/// The step of one channel by `method`, without floor. All-zero values: step 1, MSE 0.
StepChoice choose_step(const WeightedValues& values, const WeightGrid& grid, Bits bits, ClipMethod method);

/// The exact MSE-optimal step of symmetric data on an integer grid [min_code, max_code], zero point 0: the global
/// minimum of f(s) = sum_i c_i (x_i - s clamp(rne(x_i / s)))^2 by a breakpoint sweep (no prior, no tuning).
/// Cost O(n log n + n E|x| / s).
StepChoice mse_optimal_step(const WeightedValues& values, const WeightGrid& grid);

/// Mean squared error of a quantizer, double arithmetic.
double affine_mse(const WeightedValues& values, const AffineQuantizer& quantizer);
double step_mse(const WeightedValues& values, double step, const WeightGrid& grid);

}  // namespace cleave::quant
