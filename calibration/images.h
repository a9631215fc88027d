#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/preprocess.h"
#include "core/tensor.h"

namespace cleave::calibration {

/// An image set: a folder (all images and .npy below it), a list file, or one image. Sorted by relative path.
///
/// folder     every regular file below with an ending that counts (jpg jpeg png bmp webp ppm pgm tif tiff npy, any
///            case), but hidden ones; links to folders are not followed.
/// list file  one path per line, relative to the list's folder; blank lines and lines that begin with # are skipped;
///            a further column (a label) is ignored, so a label file is a list too.
class ImageSet {
 public:
  /// Throws Error(kIo) when the path is missing, Error(kInvalidInput) when it has no image (the message says which
  /// endings count), or a list names one twice or names something else.
  static ImageSet open(const std::filesystem::path& folder_or_list);

  const std::filesystem::path& root() const { return root_; }
  const std::vector<std::string>& paths() const { return paths_; }  ///< relative, sorted
  /// Keeps the first `count`; 0 keeps all. Throws Error(kUsage) when negative.
  void limit(std::int64_t count);
  /// Keeps `count`, one out of each of as many equal stretches of the list, as if drawn by lot (always the same ones): a
  /// list whose classes take turns keeps all of them. 0 keeps all. Throws Error(kUsage) when negative.
  void spread(std::int64_t count);
  /// Keeps those with stable_hash(relative path) mod count == index: adding an image moves no other; may leave none.
  /// Throws Error(kUsage) unless 0 <= index < count.
  void shard(std::int64_t index, std::int64_t count);

 private:
  std::filesystem::path root_;
  std::vector<std::string> paths_;
};

/// One network input from a file: an image through `preprocess`, or a .npy (float32 or uint8) as it is, as float32.
struct Sample {
  Tensor input;
  std::int64_t jpeg_bytes = 0;  ///< 0 for .npy, or when not measured
};
/// expected  the network input's shape, batch 1; dimensions of size 1 may differ in place (CxHxW fits 1xCxHxW).
/// Throws Error(kIo | kInvalidInput) with the file's name.
Sample load_sample(const std::filesystem::path& file, const Preprocess& preprocess, const Shape& expected,
                   bool measure_jpeg);

/// The same from the file's bytes; `name` tells .npy from images. Messages do not name the file.
Sample decode_sample(std::string_view bytes, const std::string& name, const Preprocess& preprocess,
                     const Shape& expected, bool measure_jpeg);
/// The bytes of an image or .npy file. Throws Error(kIo), and Error(kInvalidInput) when it is larger than 1 GiB.
std::string read_sample_file(const std::filesystem::path& file);

/// numpy .npy, version 1 to 3, little-endian, C order. Throws Error(kIo | kInvalidInput).
Tensor read_npy(const std::filesystem::path& file);
Tensor parse_npy(std::string_view bytes);
std::string npy_bytes(const Tensor& tensor);

}  // namespace cleave::calibration
