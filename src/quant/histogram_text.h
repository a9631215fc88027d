#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quant/histogram.h"

namespace cleave::quant {

/// Bins as short text: runs of neighbouring bins, each as (bins skipped since the last run, length, counts...), numbers
/// as little-endian base-128 groups (LEB128), bytes as base64 without padding. One text per set of bins; about two
/// characters per bin. `bins` ascend by index.
std::string bins_to_text(const std::vector<FloatHistogram::Bin>& bins);

/// Inverse; empty when the text is not what bins_to_text writes.
std::optional<std::vector<FloatHistogram::Bin>> bins_from_text(std::string_view text);

}  // namespace cleave::quant
