#pragma once

#include <optional>

#include "quant/histogram.h"
#include "quant/quantizer.h"

namespace cleave::quant {

/// All that a clip of an activation tensor may look at.
struct ActivationValues {
  WeightedValues values;         ///< what is quantized; every error is measured on these
  WeightedValues before;         ///< before the Relu or Clip that makes the tensor; empty when not known
  std::optional<Range> average;  ///< mean over images of their least and largest value, when known
};

}  // namespace cleave::quant
