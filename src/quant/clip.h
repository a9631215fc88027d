#pragma once

#include <vector>

#include "quant/activation_values.h"
#include "quant/bits.h"
#include "quant/clip_methods.h"
#include "quant/histogram.h"
#include "quant/quantizer.h"

namespace cleave::quant {

/// A chosen quantizer of an activation tensor with its measured distortion.
struct ActivationChoice {
  AffineQuantizer quantizer;
  ClipMethod method = ClipMethod::kMinMax;  ///< never kAuto
  double mse = 0;                           ///< mean squared error over the values, in the tensor's unit squared
};

/// Best quantizer of activations by `method`, zero always exact. Values without a negative one count as following a
/// ReLU: zero point 0, and the methods with a prior are one-sided.
///
///     minmax         [min, max]
///     average        [mean of the images' minima, mean of their maxima]
///     percentile-P   keeps P % of the values: cuts the rest at the top, or half of it at each end of signed values
///     entropy        [0, T], T by entropy_clip.h; signed values: T is that of the magnitudes for as many codes as the
///                    longer side of [min, max] has, and cuts both sides
///     aciq-*, *      one-sided: [0, max(mean, 0) + m scale], the prior of the values before the ReLU where they are
///                    known, else that of the non-zeros with mean 0; not limited to the largest value seen unless a
///                    bound above cut values off. Signed: aciq_signed_range. laplace and gauss are the same with the m
///                    of prior_optimum.h.
///     mse            the global minimum over all steps and zero points (StepSearch)
///     lp-P           lp_step.h; signed values: the best of 17 zero points (all of them up to 4 bits), then narrowed
///     down auto           the least measured MSE; of equals the first in the table. entropy and lp are not tried: they
///     cost
///                    more than all others and are never below mse.
///
/// bits 1..8. Throws Error(kInvalidInput) for empty values, Error(kStale) for `average` when no ranges were collected.
ActivationChoice choose_activation(const ActivationValues& seen, Bits bits, ClipMethod method);

/// A scale below this part of its tensor's largest one is raised to it. int32 biases have the scale s_x s_w: as
/// |bias / (s_x s_w)| is about 2^15 where s_w is largest (8-bit inputs times 8-bit weights), 2^-16 keeps them in range,
/// and costs a channel at most a 2^-17 part of the tensor's largest step per weight.
inline constexpr double kSmallestScaleRatio = 1.0 / 65536;

/// Per-channel symmetric weights along `axis`, one clip c per channel by `method`, step c / levels of
/// WeightGrid::of(bits). Methods with a prior clip at min(|mean| + m * scale, max|w|), percentile and entropy by |w|;
/// average is the whole range (weights have no images).
/// Dead channels (max|w| tiny beside the tensor's) get scale kSmallestScaleRatio of the largest scale, so that biases
/// stay in int32; an all-zero tensor gets scale 1.
/// bits 2..8. Throws Error(kInvalidInput) for a weight that is not finite.
struct WeightChoice {
  WeightQuantizer quantizer;
  std::vector<ClipMethod> methods;  ///< per channel
  double mse = 0;                   ///< over all elements, with the scales as they are (float32, floored)
};
WeightChoice choose_weights(const Tensor& weights, int axis, Bits bits, ClipMethod method);
/// The same with bits for each channel (channel_bits.h), one per slice (checked).
WeightChoice choose_weights(const Tensor& weights, int axis, const std::vector<Bits>& bits, ClipMethod method);
/// One step for the whole tensor, chosen by the same methods over all its values: equal scales for all slices of
/// `axis`.
WeightChoice choose_tensor_weights(const Tensor& weights, int axis, Bits bits, ClipMethod method);
/// Whether all slices have the same scale.
bool has_one_scale(const WeightQuantizer& quantizer);

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
