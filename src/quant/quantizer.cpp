#include "quant/quantizer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/check.h"
#include "core/error.h"

namespace cleave::quant {

namespace {

void check_bits(Bits bits) {
  CLEAVE_CHECK(bits.count >= 1 && bits.count <= 8, "integer codes have 1 to 8 bits");
}

}  // namespace

AffineQuantizer affine_quantizer(const Range& range, Bits bits) {
  check_bits(bits);
  if (!std::isfinite(range.lo) || !std::isfinite(range.hi)) {
    throw Error(ErrorKind::kInvalidInput, "the range of an activation is not finite",
                "Look for NaN or infinite values in the calibration table.");
  }
  const double lo = std::min(range.lo, 0.0);
  const double hi = std::max(range.hi, 0.0);
  const double top = bits.max_unsigned();
  const double scale = (hi - lo) / top;
  if (scale < std::numeric_limits<float>::min()) return {1.0F, 0, bits};
  const double zero_point = std::clamp(std::nearbyint(-lo / scale), 0.0, top);
  const double largest = std::numeric_limits<float>::max();
  return {static_cast<float>(std::min(scale, largest)), static_cast<std::int32_t>(zero_point), bits};
}

WeightGrid WeightGrid::of(Bits bits) {
  return bits.count < 8 ? full(bits) : narrow(bits);
}

WeightGrid WeightGrid::full(Bits bits) {
  check_bits(bits);
  const std::int32_t half = 1 << (bits.count - 1);
  return {-half, half - 1};
}

WeightGrid WeightGrid::narrow(Bits bits) {
  check_bits(bits);
  CLEAVE_CHECK(bits.count >= 2, "the narrow grid of 1 bit holds only zero");
  const std::int32_t half = 1 << (bits.count - 1);
  return {-(half - 1), half - 1};
}

ChannelLayout ChannelLayout::of(const Shape& shape, int axis) {
  CLEAVE_CHECK(axis >= 0 && axis < static_cast<int>(shape.size()), "the channel axis is one of the shape's");
  ChannelLayout layout{1, shape[static_cast<std::size_t>(axis)], 1};
  for (int i = 0; i < static_cast<int>(shape.size()); ++i) {
    if (i < axis) layout.outer *= shape[static_cast<std::size_t>(i)];
    if (i > axis) layout.inner *= shape[static_cast<std::size_t>(i)];
  }
  return layout;
}

namespace {

/// Calls body(first, last, channel) for every run of elements of one channel.
template <typename Body>
void for_each_run(const Shape& shape, const WeightQuantizer& quantizer, const Body& body) {
  const ChannelLayout layout = ChannelLayout::of(shape, quantizer.axis);
  CLEAVE_CHECK(layout.channels == static_cast<std::int64_t>(quantizer.scales.size()), "one scale per channel");
  for (std::int64_t run = 0; run < layout.outer * layout.channels; ++run) {
    const auto first = static_cast<std::size_t>(run * layout.inner);
    body(first, first + static_cast<std::size_t>(layout.inner), static_cast<std::size_t>(run % layout.channels));
  }
}

}  // namespace

Tensor weight_codes(const Tensor& weights, const WeightQuantizer& quantizer) {
  Tensor codes(DType::kInt8, weights.shape());
  const auto source = weights.data<float>();
  const auto target = codes.mutable_data<std::int8_t>();
  for_each_run(weights.shape(), quantizer, [&](std::size_t first, std::size_t last, std::size_t channel) {
    const float scale = quantizer.scales[channel];
    const auto lo = static_cast<float>(quantizer.grid(channel).min_code);
    const auto hi = static_cast<float>(quantizer.grid(channel).max_code);
    for (std::size_t i = first; i < last; ++i) {
      target[i] = static_cast<std::int8_t>(clamped_code(source[i] / scale, lo, hi));
    }
  });
  return codes;
}

Tensor dequantize_weights(const Tensor& codes, const WeightQuantizer& quantizer) {
  Tensor weights(DType::kFloat32, codes.shape());
  const auto source = codes.data<std::int8_t>();
  const auto target = weights.mutable_data<float>();
  for_each_run(codes.shape(), quantizer, [&](std::size_t first, std::size_t last, std::size_t channel) {
    const float scale = quantizer.scales[channel];
    for (std::size_t i = first; i < last; ++i) target[i] = static_cast<float>(source[i]) * scale;
  });
  return weights;
}

}  // namespace cleave::quant
