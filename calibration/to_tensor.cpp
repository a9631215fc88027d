#include <array>

#include "calibration/preprocess.h"

namespace cleave::calibration {

namespace {

/// value -> (value * scale - mean) / std of one channel, in double, rounded once.
struct Normaliser {
  double scale, mean, std;
  float operator()(double value) const { return static_cast<float>((value * scale - mean) / std); }
};

double of_channel(const std::vector<double>& values, std::size_t channel, double fallback) {
  if (values.empty()) return fallback;
  return values.size() == 1 ? values[0] : values.at(channel);
}

struct Strides {
  std::size_t pixel, channel;
};

void fill_channel(const Pixels& pixels, std::size_t channel, const Normaliser& normalise, const Strides& strides,
                  std::span<float> target) {
  std::array<float, 256> table{};
  for (std::size_t v = 0; v < table.size(); ++v) table[v] = normalise(static_cast<double>(v));
  const auto channels = static_cast<std::size_t>(pixels.channels);
  const std::size_t count = pixels.data.size() / channels;
  float* out = target.data() + channel * strides.channel;
  for (std::size_t i = 0; i < count; ++i) out[i * strides.pixel] = table[pixels.data[i * channels + channel]];
  if (!pixels.border) return;
  const float outside = normalise(pixels.border->value);
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::int64_t>(i);
    if (pixels.border->covers(at / pixels.width, at % pixels.width)) out[i * strides.pixel] = outside;
  }
}

}  // namespace

Tensor to_tensor(const Pixels& pixels, const Preprocess& preprocess) {
  const bool channels_last = preprocess.layout == "NHWC";
  const auto [height, width, channels] = std::array{pixels.height, pixels.width, pixels.channels};
  Tensor tensor(DType::kFloat32, channels_last ? Shape{1, height, width, channels} : Shape{1, channels, height, width});
  const auto plane = static_cast<std::size_t>(height * width);
  const Strides strides = channels_last ? Strides{static_cast<std::size_t>(channels), 1} : Strides{1, plane};
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
    const Normaliser normalise{preprocess.scale, of_channel(preprocess.mean, c, 0), of_channel(preprocess.std, c, 1)};
    fill_channel(pixels, c, normalise, strides, tensor.mutable_data<float>());
  }
  return tensor;
}

}  // namespace cleave::calibration
