#include "picture.h"

#include "core/file.h"

namespace cleave::testing {

std::string ppm_bytes(int height, int width, const std::vector<int>& rgb) {
  std::string bytes = "P6\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n";
  for (const int value : rgb) bytes += static_cast<char>(value);
  return bytes;
}

void write_ppm(const std::filesystem::path& path, int height, int width, const std::vector<int>& rgb) {
  std::filesystem::create_directories(path.parent_path());
  write_file_atomically(path, ppm_bytes(height, width, rgb));
}

std::vector<int> colourful(int height, int width, std::uint32_t seed) {
  std::vector<int> values;
  std::uint32_t state = seed * 2654435761U + 12345U;
  for (int i = 0; i < height * width * 3; ++i) {
    state = state * 1664525U + 1013904223U;
    values.push_back(static_cast<int>(state >> 24));
  }
  return values;
}

std::vector<int> grey(const std::vector<int>& values) {
  std::vector<int> rgb;
  for (const int value : values) rgb.insert(rgb.end(), 3, value);
  return rgb;
}

}  // namespace cleave::testing
