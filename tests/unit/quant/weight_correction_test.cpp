#include "quant/weight_correction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "golden.h"
#include "quant/clip.h"

namespace cleave::quant {
namespace {

using testing::golden;
using testing::golden_tensor;

/// The reference's quantizer: asymmetric min/max per output channel, clamped before rounding.
std::vector<double> gemmlowp(std::span<const float> channel, int bits) {
  const double lo = *std::min_element(channel.begin(), channel.end());
  const double hi = *std::max_element(channel.begin(), channel.end());
  const double top = (1 << bits) - 1;
  const double scale = std::max((hi - lo) / top, 1e-8);
  const double zero = std::nearbyint(-lo / scale);
  std::vector<double> quantized;
  for (const float w : channel) {
    quantized.push_back((std::nearbyint(std::clamp(double{w} / scale + zero, 0.0, top)) - zero) * scale);
  }
  return quantized;
}

double mean_square_difference(std::span<const float> weights, const std::vector<double>& other) {
  double sum = 0;
  for (std::size_t i = 0; i < other.size(); ++i) sum += std::pow(double{weights[i]} - other[i], 2);
  return sum / static_cast<double>(other.size());
}

TEST(WeightCorrection, HasTheMomentsAndErrorsOfTheReference) {
  CLEAVE_NEEDS_SHARED();
  const Json document = golden("aciq_weight_bias_correction.json");
  ASSERT_EQ(document.at("records").size(), 28U);
  for (const Json& record : document.at("records")) {
    const auto name = record.at("tensor").get<std::string>();
    SCOPED_TRACE(name + " " + record.at("bits").dump());
    const Tensor weights = golden_tensor(name);
    const auto w = weights.data<float>();
    const auto channels = static_cast<std::size_t>(weights.shape()[0]);
    const std::size_t each = w.size() / channels;
    std::vector<double> plain;
    for (std::size_t c = 0; c < channels; ++c) {
      const std::vector<double> channel = gemmlowp(w.subspan(c * each, each), record.at("bits"));
      plain.insert(plain.end(), channel.begin(), channel.end());
    }
    Tensor quantized(DType::kFloat32, weights.shape());
    std::copy(plain.begin(), plain.end(), quantized.mutable_data<float>().begin());
    const std::vector<ChannelMoments> moments = channel_moments(weights, quantized, 0);
    std::vector<double> by_mean;
    std::vector<double> by_both;
    for (std::size_t c = 0; c < channels; ++c) {
      const double xi = record.at("xi_paper").at(c);
      const double mean = record.at("mean_fp").at(c);
      const double quantized_mean = record.at("mean_q").at(c);
      EXPECT_NEAR(moments[c].xi, xi, 1e-5 * xi) << c;
      EXPECT_NEAR(moments[c].mean, mean, 1e-5 * std::abs(mean) + 1e-7) << c;
      EXPECT_NEAR(moments[c].quantized_mean, quantized_mean, 1e-5 * std::abs(quantized_mean) + 1e-7) << c;
      for (std::size_t i = c * each; i < (c + 1) * each; ++i) {
        by_mean.push_back(plain[i] + moments[c].mean - moments[c].quantized_mean);
        by_both.push_back((plain[i] - moments[c].quantized_mean) * moments[c].xi + moments[c].mean);
      }
    }
    const auto matches = [&](const std::vector<double>& corrected, const char* key) {
      const double expected = record.at(key);
      EXPECT_NEAR(mean_square_difference(w, corrected), expected, 1e-5 * expected) << key;
    };
    matches(plain, "mse_plain");
    matches(by_mean, "mse_mean_corrected");
    matches(by_both, "mse_mean_var_corrected");
  }
}

/// sum over inputs and taps of weight * input mean, per output channel.
std::vector<double> outputs(const Tensor& weights, std::size_t group_inputs, std::size_t groups,
                            const std::vector<double>& means) {
  const auto w = weights.data<float>();
  const auto channels = static_cast<std::size_t>(weights.shape()[0]);
  const std::size_t taps = w.size() / channels / group_inputs;
  std::vector<double> sums(channels, 0.0);
  for (std::size_t i = 0; i < w.size(); ++i) {
    const std::size_t channel = i / (group_inputs * taps);
    const std::size_t input = channel / (channels / groups) * group_inputs + i / taps % group_inputs;
    sums[channel] += double{w[i]} * means[input];
  }
  return sums;
}

Tensor wavy_weights(const Shape& shape) {
  Tensor weights(DType::kFloat32, shape);
  const auto values = weights.mutable_data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::sin(static_cast<float>(i * i)) + 0.2F * static_cast<float>(i % 5);
  }
  return weights;
}

TEST(WeightCorrection, OnTheGridIsTheCorrectedConvolutionOfConstantInputs) {
  const Tensor weights = wavy_weights({6, 2, 3, 3});
  const WeightQuantizer quantizer = choose_weights(weights, 0, Bits{3}, ClipMethod::kMse).quantizer;
  const Tensor codes = weight_codes(weights, quantizer);
  const std::vector<double> means = {0.5, -1, 2, 3};  // two groups of two inputs
  const WeightCorrection correction = correct_weights(weights, codes, quantizer, means);
  // What the correction means, in floats: (q - E q) xi + E w.
  const Tensor quantized = dequantize_weights(codes, quantizer);
  const std::vector<ChannelMoments> moments = channel_moments(weights, quantized, 0);
  Tensor corrected = quantized;
  for (std::size_t i = 0; i < corrected.mutable_data<float>().size(); ++i) {
    const ChannelMoments& m = moments[i / 18];
    corrected.mutable_data<float>()[i] =
        static_cast<float>((double{quantized.data<float>()[i]} - m.quantized_mean) * m.xi + m.mean);
  }
  WeightQuantizer scaled = quantizer;
  scaled.scales = correction.scales;
  const std::vector<double> wanted = outputs(corrected, 2, 2, means);
  const std::vector<double> found = outputs(dequantize_weights(codes, scaled), 2, 2, means);
  for (std::size_t c = 0; c < wanted.size(); ++c) {
    EXPECT_NEAR(found[c] + correction.bias_shift[c], wanted[c], 1e-5 * (1 + std::abs(wanted[c])));
  }
  // With equal means of all inputs the corrected outputs are those of the float weights.
  const std::vector<double> equal(4, 1.5);
  const WeightCorrection uniform = correct_weights(weights, codes, quantizer, equal);
  const std::vector<double> exact = outputs(weights, 2, 2, equal);
  const std::vector<double> grid = outputs(dequantize_weights(codes, scaled), 2, 2, equal);
  for (std::size_t c = 0; c < exact.size(); ++c) {
    EXPECT_NEAR(grid[c] + uniform.bias_shift[c], exact[c], 1e-5 * (1 + std::abs(exact[c])));
  }
}

TEST(WeightCorrection, TakesTheOutputsFromTheSecondAxisToo) {
  const Tensor weights = wavy_weights({5, 4});  // 5 inputs, 4 outputs
  Tensor turned(DType::kFloat32, {4, 5});
  for (std::size_t i = 0; i < 20; ++i) {
    turned.mutable_data<float>()[i % 4 * 5 + i / 4] = weights.data<float>()[i];
  }
  const std::vector<double> means = {1, -2, 0.5, 3, 0};
  const WeightQuantizer columns = choose_weights(weights, 1, Bits{4}, ClipMethod::kMse).quantizer;
  const WeightQuantizer rows = choose_weights(turned, 0, Bits{4}, ClipMethod::kMse).quantizer;
  const WeightCorrection a = correct_weights(weights, weight_codes(weights, columns), columns, means);
  const WeightCorrection b = correct_weights(turned, weight_codes(turned, rows), rows, means);
  EXPECT_EQ(a.scales, b.scales);
  EXPECT_EQ(a.bias_shift, b.bias_shift);
}

TEST(WeightCorrection, LeavesAChannelWithoutSpreadItsScale) {
  const Tensor weights = Tensor::from<float>({2, 2}, std::vector<float>{0.25F, 0.25F, 0, 0});
  const WeightQuantizer quantizer{{0.2F, 1}, 0, Bits{4}};
  const WeightCorrection correction =
      correct_weights(weights, weight_codes(weights, quantizer), quantizer, std::vector<double>{1, 3});
  EXPECT_EQ(correction.scales, quantizer.scales);
  EXPECT_NEAR(correction.bias_shift[0], 0.05 * 4, 1e-6);
  EXPECT_EQ(correction.bias_shift[1], 0);
}

TEST(ExpectedShift, IsTheGoldenOneOfADepthwiseConvolution) {
  CLEAVE_NEEDS_SHARED();
  const Json record = golden("bias_correction_dw0.json");
  const Tensor weights = golden_tensor("w_rfb_dw0");
  const Tensor inputs = golden_tensor("a_rfb247_relu");
  WeightQuantizer quantizer{{}, 0, Bits{4}};
  const auto w = weights.data<float>();
  Tensor codes(DType::kInt8, weights.shape());
  for (std::size_t c = 0; c < 16; ++c) {
    float largest = 0;
    for (std::size_t k = 0; k < 9; ++k) largest = std::max(largest, std::abs(w[c * 9 + k]));
    quantizer.scales.push_back(largest / 7);  // narrow
    for (std::size_t k = 0; k < 9; ++k) {
      codes.mutable_data<std::int8_t>()[c * 9 + k] =
          static_cast<std::int8_t>(std::nearbyint(w[c * 9 + k] / quantizer.scales[c]));
    }
  }
  std::vector<double> means(16);
  const auto x = inputs.data<float>();
  for (std::size_t i = 0; i < x.size(); ++i) means[i / (40 * 60)] += double{x[i]} / (40 * 60);
  const auto shift = expected_shift(weights, codes, quantizer, means);
  for (std::size_t c = 0; c < 16; ++c) {
    EXPECT_NEAR(means[c], record.at("E_x")[c].get<double>(), 1e-5);
    const double expected = record.at("expected_input_shift")[c];
    EXPECT_NEAR(shift[c], expected, 1e-5 * std::max(1.0, std::abs(expected)));
  }
}

}  // namespace
}  // namespace cleave::quant
