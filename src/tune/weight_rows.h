#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor.h"

namespace cleave::tune {

/// A unit's weights with one row per output channel, [rows, inputs]: what quant/hessian_rounding.h works on.
struct WeightRows {
  std::vector<float> values;
  std::int64_t rows = 0;
  std::int64_t inputs = 0;

  std::span<const float> slice(std::int64_t first, std::int64_t count) const {
    return {values.data() + first * inputs, static_cast<std::size_t>(count * inputs)};
  }
};

/// `axis`: the output channels of a float32 weight tensor.
WeightRows weight_rows(const Tensor& weights, int axis);
/// Codes of such rows as an int8 tensor of the weights' shape.
Tensor codes_of_rows(std::span<const std::int8_t> codes, const Shape& shape, int axis);
/// Channel `channel` of `target` := that of `source`; int8 tensors of one shape.
void copy_channel(const Tensor& source, Tensor& target, int axis, std::int64_t channel);

}  // namespace cleave::tune
