#include "quant/weight_correction.h"

#include <cmath>
#include <numeric>

#include "core/check.h"

namespace cleave::quant {

namespace {

/// body(channel, element) for every element.
template <typename Body>
void for_each_element(const ChannelLayout& layout, const Body& body) {
  for (std::int64_t run = 0; run < layout.outer * layout.channels; ++run) {
    const auto channel = static_cast<std::size_t>(run % layout.channels);
    for (std::int64_t i = run * layout.inner; i < (run + 1) * layout.inner; ++i) {
      body(channel, static_cast<std::size_t>(i));
    }
  }
}

/// Sum of the input means that each output channel sees.
std::vector<double> input_sums(const Shape& shape, int axis, std::size_t outputs, std::span<const double> means) {
  const auto inputs = static_cast<std::size_t>(shape[static_cast<std::size_t>(1 - axis)]);
  const std::size_t groups = means.size() / inputs;
  CLEAVE_CHECK(groups >= 1 && means.size() == groups * inputs && outputs % groups == 0 && (axis == 0 || groups == 1),
               "one mean per input channel");
  std::vector<double> sums;
  for (std::size_t c = 0; c < outputs; ++c) {
    const auto seen = means.subspan(c / (outputs / groups) * inputs, inputs);
    sums.push_back(std::accumulate(seen.begin(), seen.end(), 0.0));
  }
  return sums;
}

}  // namespace

std::vector<ChannelMoments> channel_moments(const Tensor& weights, const Tensor& quantized, int axis) {
  CLEAVE_CHECK(weights.shape() == quantized.shape(), "the quantized weights have the shape of the weights");
  const ChannelLayout layout = ChannelLayout::of(weights.shape(), axis);
  const auto channels = static_cast<std::size_t>(layout.channels);
  const auto elements = static_cast<double>(layout.channel_elements());
  const auto w = weights.data<float>();
  const auto q = quantized.data<float>();
  std::vector<ChannelMoments> moments(channels);
  for_each_element(layout, [&](std::size_t c, std::size_t i) {
    moments[c].mean += double{w[i]} / elements;
    moments[c].quantized_mean += double{q[i]} / elements;
  });
  std::vector<double> spread(channels, 0.0);
  std::vector<double> quantized_spread(channels, 0.0);
  for_each_element(layout, [&](std::size_t c, std::size_t i) {
    spread[c] += std::pow(double{w[i]} - moments[c].mean, 2);
    quantized_spread[c] += std::pow(double{q[i]} - moments[c].quantized_mean, 2);
  });
  for (std::size_t c = 0; c < channels; ++c) {
    if (spread[c] > 0 && quantized_spread[c] > 0) moments[c].xi = std::sqrt(spread[c] / quantized_spread[c]);
  }
  return moments;
}

WeightCorrection correct_weights(const Tensor& weights, const Tensor& codes, const WeightQuantizer& quantizer,
                                 std::span<const double> input_means) {
  CLEAVE_CHECK(quantizer.axis == 0 || quantizer.axis == 1, "output channels are axis 0 or 1");
  const ChannelLayout layout = ChannelLayout::of(weights.shape(), quantizer.axis);
  const auto moments = channel_moments(weights, dequantize_weights(codes, quantizer), quantizer.axis);
  const auto sums = input_sums(weights.shape(), quantizer.axis, moments.size(), input_means);
  const std::int64_t inputs = weights.shape()[static_cast<std::size_t>(1 - quantizer.axis)];
  const auto taps = static_cast<double>(layout.channel_elements() / inputs);
  WeightCorrection correction;
  for (std::size_t c = 0; c < moments.size(); ++c) {
    const ChannelMoments& channel = moments[c];
    correction.scales.push_back(static_cast<float>(channel.xi * double{quantizer.scales[c]}));
    correction.bias_shift.push_back((channel.mean - channel.xi * channel.quantized_mean) * taps * sums[c]);
  }
  return correction;
}

std::vector<double> expected_shift(const Tensor& weights, const Tensor& codes, const WeightQuantizer& quantizer,
                                   std::span<const double> input_means) {
  CLEAVE_CHECK(quantizer.axis == 0 || quantizer.axis == 1, "output channels are axis 0 or 1");
  const ChannelLayout layout = ChannelLayout::of(weights.shape(), quantizer.axis);
  const Tensor quantized = dequantize_weights(codes, quantizer);
  const auto w = weights.data<float>();
  const auto q = quantized.data<float>();
  const auto channels = static_cast<std::size_t>(layout.channels);
  const auto inputs = static_cast<std::size_t>(weights.shape()[static_cast<std::size_t>(1 - quantizer.axis)]);
  const std::size_t groups = input_means.size() / inputs;
  CLEAVE_CHECK(groups >= 1 && input_means.size() == groups * inputs && channels % groups == 0,
               "one mean per input channel");
  const auto taps = static_cast<std::size_t>(layout.channel_elements()) / inputs;
  std::vector<double> shift(channels);
  for_each_element(layout, [&](std::size_t c, std::size_t i) {
    const std::size_t input = quantizer.axis == 0 ? i / taps % inputs : i / (taps * channels);
    shift[c] += (double{q[i]} - double{w[i]}) * input_means[c / (channels / groups) * inputs + input];
  });
  return shift;
}

}  // namespace cleave::quant
