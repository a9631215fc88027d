#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace cleave::testing {

/// A binary PPM (P6): pixels row by row, red, green, blue.
std::string ppm_bytes(int height, int width, const std::vector<int>& rgb);
void write_ppm(const std::filesystem::path& path, int height, int width, const std::vector<int>& rgb);
/// Deterministic colourful pixels: height x width x 3.
std::vector<int> colourful(int height, int width, std::uint32_t seed = 1);
/// The same grey in all three channels, one number per pixel.
std::vector<int> grey(const std::vector<int>& values);

}  // namespace cleave::testing
