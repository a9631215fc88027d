#pragma once

#include "quant/histogram.h"
#include "quant/quantizer.h"

namespace cleave::quant {

/// The values of one channel of a weight tensor. Throws Error(kInvalidInput) for one that is not finite.
WeightedValues channel_values(const Tensor& weights, const ChannelLayout& layout, std::int64_t channel);

}  // namespace cleave::quant
