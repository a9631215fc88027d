#include "calibration/images.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/error.h"
#include "core/file.h"
#include "core/fingerprint.h"
#include "core/text.h"

namespace cleave::calibration {
namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 10> kEndings{"bmp", "jpeg", "jpg", "npy",  "pgm",
                                                    "png", "ppm",  "tif", "tiff", "webp"};
constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{1} << 30;

std::string endings_text() {
  const std::vector<std::string> endings(kEndings.begin(), kEndings.end());
  return "Files that end in " + join_text(endings, ", ") + " count, in any case.";
}

std::string lower_ending(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return {};
  std::string ending(path.substr(dot + 1));
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return ending;
}

bool counts_as_image(std::string_view path) {
  return std::find(kEndings.begin(), kEndings.end(), lower_ending(path)) != kEndings.end();
}

std::vector<std::string> paths_in_folder(const fs::path& folder) {
  std::vector<std::string> paths;
  std::error_code code;
  fs::recursive_directory_iterator entries(folder, code);
  for (; !code && entries != fs::recursive_directory_iterator(); entries.increment(code)) {
    const fs::path& path = entries->path();
    std::error_code ignored;
    if (path.filename().string()[0] == '.' || !counts_as_image(path.string())) continue;
    if (entries->is_regular_file(ignored)) paths.push_back(path.lexically_relative(folder).generic_string());
  }
  if (code) throw Error(ErrorKind::kIo, folder.string() + ": cannot list: " + code.message());
  return paths;
}

/// The line's path: the whole line, or what stands before its last column.
std::string path_in_line(const std::string& line, const std::string& where) {
  if (counts_as_image(line)) return line;
  const std::size_t blank = line.find_last_of(" \t");
  std::string path = blank == std::string::npos ? std::string() : trim_text(line.substr(0, blank));
  if (counts_as_image(path)) return path;
  throw Error(ErrorKind::kInvalidInput, where + ": '" + line.substr(0, 80) + "' names no image", endings_text());
}

std::vector<std::string> paths_in_list(const fs::path& list) {
  std::vector<std::string> paths;
  std::int64_t number = 0;
  for (const std::string& raw : split_text(read_file(list), '\n')) {
    ++number;
    const std::string line = trim_text(raw);
    if (line.empty() || line[0] == '#') continue;
    const std::string path = path_in_line(line, list.string() + ":" + std::to_string(number));
    paths.push_back(fs::path(path).lexically_normal().generic_string());
  }
  return paths;
}

void require_distinct(const std::vector<std::string>& sorted, const std::string& origin) {
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice == sorted.end()) return;
  throw Error(ErrorKind::kInvalidInput, origin + ": '" + *twice + "' is listed twice", "Name each image once.");
}

/// Dimensions without those of size 1, which do not change where an element lies.
Shape squeezed(Shape shape) {
  shape.erase(std::remove(shape.begin(), shape.end(), 1), shape.end());
  return shape;
}

Tensor fitted(const Tensor& tensor, const Shape& expected, const std::string& hint) {
  if (squeezed(tensor.shape()) == squeezed(expected)) return tensor.reshaped(expected);
  throw Error(ErrorKind::kInvalidInput,
              "shape " + shape_text(tensor.shape()) + " does not fit the network input " + shape_text(expected), hint);
}

Tensor as_float(const Tensor& array) {
  if (array.dtype() == DType::kFloat32) return array;
  if (array.dtype() != DType::kUint8) {
    throw Error(ErrorKind::kInvalidInput,
                ".npy: samples are float32 or uint8, this one is " + std::string(dtype_name(array.dtype())));
  }
  Tensor result(DType::kFloat32, array.shape());
  const auto from = array.data<std::uint8_t>();
  std::copy(from.begin(), from.end(), result.mutable_data<float>().begin());
  return result;
}

}  // namespace

ImageSet ImageSet::open(const fs::path& folder_or_list) {
  std::error_code code;
  const fs::file_status status = fs::status(folder_or_list, code);
  if (!fs::exists(status)) throw Error(ErrorKind::kIo, folder_or_list.string() + ": no such folder or list of images");
  ImageSet set;
  if (fs::is_directory(status)) {
    set.root_ = folder_or_list;
    set.paths_ = paths_in_folder(folder_or_list);
  } else {
    set.root_ = folder_or_list.parent_path();
    set.paths_ = counts_as_image(folder_or_list.string()) ? std::vector{folder_or_list.filename().string()}
                                                          : paths_in_list(folder_or_list);
  }
  if (set.paths_.empty()) throw Error(ErrorKind::kInvalidInput, folder_or_list.string() + ": no image", endings_text());
  std::sort(set.paths_.begin(), set.paths_.end());
  require_distinct(set.paths_, folder_or_list.string());
  return set;
}

void ImageSet::limit(std::int64_t count) {
  if (count < 0) throw Error(ErrorKind::kUsage, "a limit of " + std::to_string(count) + " images makes no sense");
  if (count > 0 && static_cast<std::size_t>(count) < paths_.size()) paths_.resize(static_cast<std::size_t>(count));
}

void ImageSet::spread(std::int64_t count) {
  const auto all = static_cast<std::int64_t>(paths_.size());
  for (std::int64_t i = 0; i < std::min(count, all); ++i) {
    const std::int64_t first = i * all / std::min(count, all), next = (i + 1) * all / std::min(count, all);
    const std::uint64_t lot = stable_hash(std::to_string(i)) % static_cast<std::uint64_t>(next - first);
    paths_[static_cast<std::size_t>(i)] = paths_[static_cast<std::size_t>(first) + lot];
  }
  limit(count);
}

void ImageSet::shard(std::int64_t index, std::int64_t count) {
  if (index < 0 || index >= count) {
    throw Error(ErrorKind::kUsage, "no shard " + std::to_string(index) + "/" + std::to_string(count),
                "Shards are 0/N to (N-1)/N.");
  }
  const auto elsewhere = [&](const std::string& path) {
    return stable_hash(path) % static_cast<std::uint64_t>(count) != static_cast<std::uint64_t>(index);
  };
  std::erase_if(paths_, elsewhere);
}

std::string read_sample_file(const fs::path& file) {
  std::error_code code;
  const fs::file_status status = fs::status(file, code);
  if (!fs::exists(status)) throw Error(ErrorKind::kIo, file.string() + ": no such file");
  if (!fs::is_regular_file(status)) throw Error(ErrorKind::kIo, file.string() + ": not a regular file");
  if (const std::uintmax_t size = fs::file_size(file, code); !code && size > kMaxFileBytes) {
    throw Error(ErrorKind::kInvalidInput, file.string() + ": " + grouped(static_cast<std::int64_t>(size)) +
                                              " bytes are more than an image may have (1 GiB)");
  }
  return read_file(file);
}

Sample decode_sample(std::string_view bytes, const std::string& name, const Preprocess& preprocess,
                     const Shape& expected, bool measure_jpeg) {
  if (lower_ending(name) == "npy") {
    return {
        fitted(as_float(parse_npy(bytes)), expected, "Samples in .npy are taken as they are, without preprocessing."),
        0};
  }
  const Pixels pixels = decode_pixels(bytes, preprocess);
  const Tensor input = fitted(to_tensor(pixels, preprocess), expected,
                              "Let resize, pad or center_crop_px in the preprocessing block give the network's size.");
  return {input, measure_jpeg ? jpeg_bytes(pixels) : 0};
}

Sample load_sample(const fs::path& file, const Preprocess& preprocess, const Shape& expected, bool measure_jpeg) {
  const std::string bytes = read_sample_file(file);
  try {
    return decode_sample(bytes, file.string(), preprocess, expected, measure_jpeg);
  } catch (const Error& error) {
    throw error.within(file.string());
  }
}

}  // namespace cleave::calibration
