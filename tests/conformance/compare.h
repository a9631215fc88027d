#pragma once

#include <optional>
#include <string>

#include "core/tensor.h"

namespace cleave::conformance {

/// Where `actual` is not what ONNX expects, or empty. Type and shape must be equal, integers and bools exactly so;
/// floats as ONNX's own backend test compares them: |actual - expected| <= 1e-7 + 1e-3 * |expected|, NaN equals NaN;
/// bfloat16 to one step of its 8 bits, since ONNX's data was cut off there.
std::optional<std::string> difference(const Tensor& actual, const Tensor& expected);

}  // namespace cleave::conformance
