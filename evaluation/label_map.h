#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "evaluation/geometry.h"

namespace cleave::evaluation {

/// Pixels with this class index do not count (VOC's "void" border).
constexpr std::uint8_t kIgnored = 255;

/// A class index per pixel, row-major.
struct LabelMap {
  ImageSize size;
  std::vector<std::uint8_t> index;
};

/// The indices of a greyscale or palette PNG of 1 to 8 bits: the stored numbers, whatever colours a palette shows
/// them in.
/// Throws Error(kInvalidInput) for other files, and when the size is not `expected`.
LabelMap parse_label_map(std::string_view png, const ImageSize& expected);
/// The same from a file, which the messages name. Throws Error(kIo) too.
LabelMap read_label_map(const std::filesystem::path& png, const ImageSize& expected);

}  // namespace cleave::evaluation
