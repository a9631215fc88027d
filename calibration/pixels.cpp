#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "calibration/image_header.h"
#include "calibration/images.h"
#include "calibration/preprocess.h"
#include "core/error.h"
#include "core/text.h"

namespace cleave::calibration {

namespace {

constexpr std::int64_t kMaxPixels = 200'000'000;
constexpr int kJpegQuality = 90;

Error bad(const std::string& what, const std::string& hint = {}) {
  return Error(ErrorKind::kInvalidInput, what, hint);
}

std::string size_text(std::int64_t height, std::int64_t width) {
  return std::to_string(height) + "x" + std::to_string(width) + " (height x width)";
}

void require_sane(std::int64_t height, std::int64_t width, const std::string& what) {
  if (height * width <= kMaxPixels) return;
  throw bad(what + " is " + size_text(height, width) + " pixels; at most " + grouped(kMaxPixels) + " are read");
}

/// One thread per image is enough: images run in parallel, and OpenCV's own pool would oversubscribe the cores.
void keep_single_threaded() {
  static const bool done = (cv::setNumThreads(0), true);
  static_cast<void>(done);
}

cv::Mat decode(std::string_view bytes) {
  const ImageHeader header = read_image_header(bytes);
  require_sane(header.height, header.width, "the " + header.format + " image");
  keep_single_threaded();
  const cv::Mat encoded(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<char*>(bytes.data()));
  cv::Mat image = cv::imdecode(encoded, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  if (image.empty()) throw bad("the " + header.format + " file is damaged and cannot be decoded");
  return image;
}

int interpolation(const std::string& name) {
  if (name == "nearest") return cv::INTER_NEAREST;
  if (name == "area") return cv::INTER_AREA;
  return name == "cubic" ? cv::INTER_CUBIC : cv::INTER_LINEAR;
}

cv::Mat apply_resize(const cv::Mat& image, const Preprocess::Resize& resize) {
  const auto [height, width] = resized_size(image.rows, image.cols, resize);
  require_sane(height, width, "the resized image");
  if (height == image.rows && width == image.cols) return image;
  cv::Mat resized;
  const cv::Size size(static_cast<int>(width), static_cast<int>(height));
  cv::resize(image, resized, size, 0, 0, interpolation(resize.interpolation));
  return resized;
}

cv::Mat apply_pad(const cv::Mat& image, const Preprocess::Pad& pad, std::optional<Pixels::Border>& border) {
  const auto [height, width] = pad.size_px;
  require_sane(height, width, "the padded image");
  if (image.rows > height || image.cols > width) {
    throw bad(
        "the image is " + size_text(image.rows, image.cols) + ", larger than the pad size " + size_text(height, width),
        "Put a resize (longer_px) before pad.");
  }
  const std::int64_t top = pad.center ? (height - image.rows) / 2 : 0;
  const std::int64_t left = pad.center ? (width - image.cols) / 2 : 0;
  border = Pixels::Border{pad.value, top, left, image.rows, image.cols};
  cv::Mat padded;
  cv::copyMakeBorder(image, padded, static_cast<int>(top), static_cast<int>(height - image.rows - top),
                     static_cast<int>(left), static_cast<int>(width - image.cols - left), cv::BORDER_CONSTANT,
                     cv::Scalar::all(std::nearbyint(pad.value)));
  return padded;
}

/// What a picture smaller than the crop lacks is filled up: with the value of `pad` where there was one, else black.
cv::Mat grown_to(const cv::Mat& image, std::int64_t height, std::int64_t width, std::optional<Pixels::Border>& border) {
  const std::int64_t missing_rows = std::max<std::int64_t>(0, height - image.rows);
  const std::int64_t missing_columns = std::max<std::int64_t>(0, width - image.cols);
  if (missing_rows == 0 && missing_columns == 0) return image;
  if (border) {
    border->top += missing_rows / 2;
    border->left += missing_columns / 2;
  }
  cv::Mat grown;
  cv::copyMakeBorder(image, grown, static_cast<int>(missing_rows / 2), static_cast<int>((missing_rows + 1) / 2),
                     static_cast<int>(missing_columns / 2), static_cast<int>((missing_columns + 1) / 2),
                     cv::BORDER_CONSTANT, cv::Scalar::all(border ? std::nearbyint(border->value) : 0));
  return grown;
}

/// The middle of the image; one that is too small is centred on black first, as torchvision's CenterCrop does.
cv::Mat apply_crop(const cv::Mat& picture, const std::array<std::int64_t, 2>& crop,
                   std::optional<Pixels::Border>& border) {
  const auto [height, width] = crop;
  const cv::Mat image = grown_to(picture, height, width, border);
  const std::int64_t top = (image.rows - height) / 2;
  const std::int64_t left = (image.cols - width) / 2;
  if (border) {
    border->top -= top;
    border->left -= left;
  }
  return image(
      cv::Rect(static_cast<int>(left), static_cast<int>(top), static_cast<int>(width), static_cast<int>(height)));
}

cv::Mat apply_color(const cv::Mat& bgr, Color color) {
  cv::Mat image;
  if (color == Color::kBgr) return bgr;
  cv::cvtColor(bgr, image, color == Color::kRgb ? cv::COLOR_BGR2RGB : cv::COLOR_BGR2GRAY);
  return image;
}

Pixels to_pixels(const cv::Mat& image, Color color) {
  Pixels pixels;
  pixels.height = image.rows;
  pixels.width = image.cols;
  pixels.channels = image.channels();
  pixels.color = color;
  const std::size_t row_bytes = static_cast<std::size_t>(image.cols) * static_cast<std::size_t>(image.channels());
  pixels.data.reserve(row_bytes * static_cast<std::size_t>(image.rows));
  for (int y = 0; y < image.rows; ++y) {
    const std::uint8_t* row = image.ptr<std::uint8_t>(y);
    pixels.data.insert(pixels.data.end(), row, row + row_bytes);
  }
  return pixels;
}

}  // namespace

std::array<std::int64_t, 2> resized_size(std::int64_t height, std::int64_t width, const Preprocess::Resize& resize) {
  if (resize.size_px[0] > 0) return resize.size_px;
  const std::int64_t wanted = std::max(resize.shorter_px, resize.longer_px);
  const std::int64_t given = resize.shorter_px > 0 ? std::min(height, width) : std::max(height, width);
  const auto scaled = [&](std::int64_t side) { return std::max<std::int64_t>(1, side * wanted / given); };
  return {scaled(height), scaled(width)};
}

Pixels decode_pixels(std::string_view bytes, const Preprocess& preprocess) {
  try {
    cv::Mat image = decode(bytes);
    std::optional<Pixels::Border> border;
    if (preprocess.resize) image = apply_resize(image, *preprocess.resize);
    if (preprocess.pad) image = apply_pad(image, *preprocess.pad, border);
    if (preprocess.center_crop_px) image = apply_crop(image, *preprocess.center_crop_px, border);
    Pixels pixels = to_pixels(apply_color(image, preprocess.color), preprocess.color);
    pixels.border = border;
    return pixels;
  } catch (const cv::Exception& error) {
    throw bad("the image cannot be decoded: " + error.err);
  }
}

Pixels load_pixels(const std::filesystem::path& image, const Preprocess& preprocess) {
  const std::string bytes = read_sample_file(image);
  try {
    return decode_pixels(bytes, preprocess);
  } catch (const Error& error) {
    throw error.within(image.string());
  }
}

std::int64_t jpeg_bytes(const Pixels& pixels) {
  const int type = pixels.channels == 1 ? CV_8UC1 : CV_8UC3;
  const cv::Mat image(static_cast<int>(pixels.height), static_cast<int>(pixels.width), type,
                      const_cast<std::uint8_t*>(pixels.data.data()));
  keep_single_threaded();
  try {
    cv::Mat bgr = image;
    if (pixels.color == Color::kRgb) {
      bgr = cv::Mat();
      cv::cvtColor(image, bgr, cv::COLOR_RGB2BGR);
    }
    std::vector<std::uint8_t> encoded;
    cv::imencode(".jpg", bgr, encoded, {cv::IMWRITE_JPEG_QUALITY, kJpegQuality});
    return static_cast<std::int64_t>(encoded.size());
  } catch (const cv::Exception& error) {
    throw bad("the image cannot be encoded as JPEG: " + error.err);
  }
}

}  // namespace cleave::calibration
