#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/tensor.h"

namespace cleave::calibration {

enum class Color { kRgb, kBgr, kGray, kY };

/// The preprocessing block (cleave.preprocess/1), steps in order: resize, pad, centre crop, colour,
/// x = (pixel * scale - mean) / std, layout. One block for every verb and for the bundle.
///
/// shorter_px, longer_px   the other side is floor(side * wanted / given), as torchvision, DeepLab and YOLOX do.
/// pad                     border of `value` (0..255, fractions allowed: it is normalised as it is).
/// center                  pad and crop leave floor(difference / 2) at the top and left.
/// center_crop_px          a picture smaller than the crop is centred on black (or on pad's value), as torchvision
///                         does.
/// gray, y                 one channel, 0.299 R + 0.587 G + 0.114 B: the luma of BT.601 at full range, as in JPEG.
///                         Both names mean the same pixels.
/// Pixels are taken as stored: an EXIF orientation is ignored, as in the usual training pipelines.
struct Preprocess {
  struct Resize {
    std::int64_t shorter_px = 0;  ///< exactly one of the three is set
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
  std::vector<double> mean;     ///< empty (0), one, or one per channel
  std::vector<double> std;      ///< empty (1), one, or one per channel
  std::string layout = "NCHW";  ///< NCHW | NHWC

  /// Throws Error(kInvalidInput) for unknown keys, sizes outside 1..65535, std 0, lists of a wrong length.
  static Preprocess from_json(const Json& json, const std::string& origin);
  /// A preset (imagenet, tf, raw) or the path of a block; an existing file wins. Throws Error(kUsage | kInvalidInput).
  static Preprocess find(const std::string& name_or_path);
  /// The block without defaults; equal blocks give equal text. No "tool" key: the version does not change the numbers.
  Json to_json() const;
  std::int64_t channels() const { return color == Color::kRgb || color == Color::kBgr ? 3 : 1; }
};

/// Names of the built-in blocks, sorted.
std::vector<std::string> preprocess_presets();

/// Height and width after the resize step, in whole pixels (rounded down, at least 1).
std::array<std::int64_t, 2> resized_size(std::int64_t height, std::int64_t width, const Preprocess::Resize& resize);

/// Pixels after geometry and colour order: height x width x channels, 8 bit.
struct Pixels {
  /// What `pad` left around the picture. data holds the value rounded to 8 bits there; to_tensor uses it unrounded.
  struct Border {
    double value = 0;
    std::int64_t top = 0, left = 0, height = 0, width = 0;  ///< the picture's place; may reach beyond a crop
    bool covers(std::int64_t y, std::int64_t x) const {
      return y < top || y >= top + height || x < left || x >= left + width;
    }
  };
  std::int64_t height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> data;
  Color color = Color::kRgb;
  std::optional<Border> border;
};

/// Decodes (JPEG, PNG, BMP, WebP, PNM or TIFF, told by content) and applies resize, pad, crop and colour.
/// Throws Error(kIo) for a file that cannot be read; Error(kInvalidInput) with its name for one that is no image, is
/// cut short, is larger than 200 megapixels before or after resizing, or is larger than pad.
Pixels load_pixels(const std::filesystem::path& image, const Preprocess& preprocess);
/// The same from the file's bytes; messages do not name the file.
Pixels decode_pixels(std::string_view bytes, const Preprocess& preprocess);
/// Normalises and lays out: 1xCxHxW (or 1xHxWxC) float32.
Tensor to_tensor(const Pixels& pixels, const Preprocess& preprocess);
/// Size of these pixels as a JPEG of quality 90: what a cloud-only client would upload.
std::int64_t jpeg_bytes(const Pixels& pixels);

}  // namespace cleave::calibration
