#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/tensor.h"

namespace cleave::calibration {

enum class Color { kRgb, kBgr, kGray, kY };

/// The preprocessing block (cleave.preprocess/1), steps in order: resize, pad, centre crop, colour,
/// x = (pixel * scale - mean) / std, layout. One block for every verb and for the bundle.
struct Preprocess {
  struct Resize {
    std::int64_t shorter_px = 0;            ///< exactly one of the three is set
    std::int64_t longer_px = 0;
    std::array<std::int64_t, 2> size_px{};  ///< height, width
    std::string interpolation = "linear";   ///< linear | nearest | area | cubic
  };
  struct Pad {
    std::array<std::int64_t, 2> size_px{};
    double value = 0;
    bool center = false;
  };
  std::optional<Resize> resize;
  std::optional<Pad> pad;
  std::optional<std::array<std::int64_t, 2>> center_crop_px;  ///< height, width
  Color color = Color::kRgb;
  double scale = 1;
  std::vector<double> mean;  ///< empty (0), one, or one per channel
  std::vector<double> std;   ///< empty (1), one, or one per channel
  std::string layout = "NCHW";  ///< NCHW | NHWC

  static Preprocess from_json(const Json& json, const std::string& origin);
  /// A preset (imagenet, tf, raw) or the path of a block; an existing file wins. Throws Error(kUsage | kInvalidInput).
  static Preprocess find(const std::string& name_or_path);
  Json to_json() const;
};

/// Pixels after geometry and colour order: height x width x channels, 8 bit.
struct Pixels {
  std::int64_t height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> data;
};

/// Decodes and applies resize, pad, crop and colour. Throws Error(kInvalidInput) for a file that is no image, or is
/// larger than 200 megapixels.
Pixels load_pixels(const std::filesystem::path& image, const Preprocess& preprocess);
/// Normalises and lays out: 1xCxHxW (or 1xHxWxC) float32.
Tensor to_tensor(const Pixels& pixels, const Preprocess& preprocess);
/// Size of these pixels as a JPEG of quality 90: what a cloud-only client would upload.
std::int64_t jpeg_bytes(const Pixels& pixels);

}  // namespace cleave::calibration
