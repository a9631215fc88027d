#pragma once

#include <span>
#include <vector>

#include "core/tensor.h"
#include "quant/quantizer.h"

namespace cleave::quant {

/// ACIQ's correction of quantized weights: rounding and clipping move a channel's mean and spread, and
///
///     w' = xi (q - E q) + E w       xi = |w - E w| / |q - E q| over the channel's weights, q what the codes stand for
///
/// gives both back (xi = 1 where all q are equal). Source: Banner et al., 2019, section 5, and their code.
struct ChannelMoments {
  double mean = 0;            ///< E w
  double quantized_mean = 0;  ///< E q
  double xi = 1;
};
/// One per slice along `axis`. Both tensors are float32 of one shape (checked).
std::vector<ChannelMoments> channel_moments(const Tensor& weights, const Tensor& quantized, int axis);

/// The same on the integer grid: w' = xi q + m with m = E w - xi E q. The factor goes into the scale and the codes stay
/// as they are. The constant m is on no grid; it adds m * (sum of the inputs under the window) to an output, and the
/// mean of that is what goes into the bias:
///
///     scale' = xi scale        bias' = bias + m * taps * sum over the channel's inputs of E[x]
///
/// taps: elements of the kernel. Exact for inputs that are their means everywhere and windows without padding.
struct WeightCorrection {
  std::vector<float> scales;       ///< per output channel
  std::vector<double> bias_shift;  ///< per output channel, in the output's unit
};
/// weights      [outputs, inputs of a group, kernel ...] with quantizer.axis 0, or [inputs, outputs, kernel ...]
/// with 1. input_means  E[x] of every input channel; more than the tensor has inputs: groups (axis 0 only, checked).
/// codes        as the executor will use them: weight_codes, or those that a better rounding found.
WeightCorrection correct_weights(const Tensor& weights, const Tensor& codes, const WeightQuantizer& quantizer,
                                 std::span<const double> input_means);

/// The mean by which quantized weights move an output, from the means of the inputs alone:
///
///     sum over a channel's weights of (q - w) E[x of the weight's input channel]
///
/// The analytic bias correction takes it off the bias. Exact for windows without padding. Arguments as above; per
/// output channel. Source: Nagel et al., "Data-free quantization through weight equalization and bias correction",
/// 2019.
std::vector<double> expected_shift(const Tensor& weights, const Tensor& codes, const WeightQuantizer& quantizer,
                                   std::span<const double> input_means);

}  // namespace cleave::quant
