#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "calibration/preprocess.h"
#include "core/tensor.h"

namespace cleave::calibration {

/// An image set: a folder (all images and .npy below it), or a list file (one path per line, relative to the list).
/// Sorted by relative path.
class ImageSet {
 public:
  /// Throws Error(kIo) when the path is missing, Error(kInvalidInput) when it has no image (the message says which
  /// endings count).
  static ImageSet open(const std::filesystem::path& folder_or_list);

  const std::filesystem::path& root() const { return root_; }
  const std::vector<std::string>& paths() const { return paths_; }  ///< relative, sorted
  void limit(std::int64_t count);
  /// Keeps those with hash(relative path) mod count == index.
  void shard(std::int64_t index, std::int64_t count);

 private:
  std::filesystem::path root_;
  std::vector<std::string> paths_;
};

/// One network input from a file: an image through `preprocess`, or a .npy (float32 or uint8) as it is.
struct Sample {
  Tensor input;
  std::int64_t jpeg_bytes = 0;  ///< 0 for .npy
};
/// Throws Error(kInvalidInput) with the file's name; checks the shape against `expected` (batch 1).
Sample load_sample(const std::filesystem::path& file, const Preprocess& preprocess, const Shape& expected,
                   bool measure_jpeg);

/// numpy .npy, version 1 to 3, little-endian, C order. Throws Error(kIo | kInvalidInput).
Tensor read_npy(const std::filesystem::path& file);
std::string npy_bytes(const Tensor& tensor);

}  // namespace cleave::calibration
