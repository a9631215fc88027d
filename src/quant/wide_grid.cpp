#include "quant/wide_grid.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "quant/quantizer.h"

namespace cleave::quant {

namespace {

/// Calls one(channel, place) for every element.
template <typename One>
void for_each_element(const ChannelLayout& layout, One&& one) {
  std::size_t place = 0;
  for (std::int64_t o = 0; o < layout.outer; ++o) {
    for (std::int64_t c = 0; c < layout.channels; ++c) {
      for (std::int64_t i = 0; i < layout.inner; ++i) one(static_cast<std::size_t>(c), place++);
    }
  }
}

}  // namespace

float wide_step(double magnitude) {
  const auto step = static_cast<float>(magnitude / kWideLimit);
  return step >= std::numeric_limits<float>::min() ? step : 1.0F;
}

Tensor on_wide_grid(const Tensor& weights, int axis) {
  const ChannelLayout layout = ChannelLayout::of(weights.shape(), axis);
  const auto from = weights.data<float>();
  std::vector<float> steps(static_cast<std::size_t>(layout.channels), 0.0F);
  for_each_element(layout, [&](std::size_t c, std::size_t i) {
    if (!std::isfinite(from[i])) throw Error(ErrorKind::kInvalidInput, "a weight is not finite");
    steps[c] = std::max(steps[c], std::fabs(from[i]));
  });
  for (float& step : steps) step = wide_step(step);
  Tensor result(DType::kFloat32, weights.shape());
  const auto to = result.mutable_data<float>();
  constexpr auto kLimit = static_cast<float>(kWideLimit);
  for_each_element(layout, [&](std::size_t c, std::size_t i) {
    to[i] = std::clamp(std::nearbyint(from[i] / steps[c]), -kLimit, kLimit) * steps[c];
  });
  return result;
}

}  // namespace cleave::quant
