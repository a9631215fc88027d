#include "evaluation/label_map.h"

#include <opencv2/imgcodecs.hpp>
#include <string>

#include "calibration/image_header.h"
#include "calibration/images.h"
#include "core/error.h"

namespace cleave::evaluation {

namespace {

// PNG specification (W3C, second edition): an 8-byte signature, then chunks of length, type, data and CRC-32;
// IHDR comes first, its data are width, height, bit depth, colour type, compression, filter and interlace.
constexpr std::size_t kSignatureBytes = 8;
constexpr std::size_t kChunkFrameBytes = 12;
constexpr std::size_t kHeaderDataBytes = 13;
constexpr std::size_t kDepthAt = kSignatureBytes + 8 + 8;
constexpr std::size_t kColorTypeAt = kDepthAt + 1;
constexpr std::size_t kHeaderEnd = kSignatureBytes + kHeaderDataBytes + kChunkFrameBytes;
constexpr char kGrey = 0;
constexpr char kPalette = 3;

Error bad(const std::string& what, const std::string& hint = {}) {
  return Error(ErrorKind::kInvalidInput, what, hint);
}

std::string size_text(const ImageSize& size) {
  return std::to_string(size.height) + "x" + std::to_string(size.width);
}

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) value = (value << 8) | static_cast<unsigned char>(byte);
  return value;
}

/// CRC-32 as PNG uses it (ISO 3309, reflected polynomial EDB88320).
std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

/// The same file as a greyscale picture, whose decoder hands the stored numbers on: IHDR with another colour type, and
/// of the rest only the pixel data and the end (a palette or transparency would have no place).
std::string as_greyscale(std::string_view png) {
  std::string grey(png.substr(0, kHeaderEnd));
  grey[kColorTypeAt] = kGrey;
  const std::uint32_t crc = crc32(std::string_view(grey).substr(kSignatureBytes + 4, 4 + kHeaderDataBytes));
  for (std::size_t i = 0; i < 4; ++i) grey[kHeaderEnd - 4 + i] = static_cast<char>((crc >> (24 - 8 * i)) & 0xFFU);
  for (std::size_t at = kHeaderEnd; at + kChunkFrameBytes <= png.size();) {
    const std::size_t length = kChunkFrameBytes + big_endian(png.substr(at));
    const std::string_view type = png.substr(at + 4, 4);
    if (type == "IDAT" || type == "IEND") grey += png.substr(at, length);
    at += length;
  }
  return grey;
}

/// Bits per pixel of a picture that holds indices.
int index_bits(std::string_view png) {
  if (png.size() < kHeaderEnd || png.substr(kSignatureBytes + 4, 4) != "IHDR") {
    throw bad("the label picture is damaged: no IHDR chunk at its beginning");
  }
  const char color_type = png[kColorTypeAt];
  const int bits = static_cast<unsigned char>(png[kDepthAt]);
  if ((color_type == kGrey || color_type == kPalette) && bits > 0 && bits <= 8) return bits;
  throw bad("the label picture holds colours or 16-bit numbers, not class indices",
            "Labels are greyscale or palette PNGs whose pixel value is the class index; 255 does not count.");
}

cv::Mat decode_grey(const std::string& png) {
  try {
    const cv::Mat encoded(1, static_cast<int>(png.size()), CV_8UC1, const_cast<char*>(png.data()));
    const cv::Mat image = cv::imdecode(encoded, cv::IMREAD_GRAYSCALE);
    if (!image.empty()) return image;
  } catch (const cv::Exception& error) {
    throw bad("the label picture cannot be decoded: " + error.err);
  }
  throw bad("the label picture is damaged and cannot be decoded");
}

}  // namespace

LabelMap parse_label_map(std::string_view png, const ImageSize& expected) {
  const calibration::ImageHeader header = calibration::read_image_header(png);
  if (header.format != "PNG") throw bad("a label picture must be a PNG, this is " + header.format);
  const ImageSize size{header.height, header.width};
  if (size != expected) {
    throw bad("the label picture is " + size_text(size) + ", its image " + size_text(expected) + " (height x width)");
  }
  const int bits = index_bits(png);
  const cv::Mat image = decode_grey(as_greyscale(png));
  LabelMap map{size, {}};
  map.index.reserve(static_cast<std::size_t>(size.height * size.width));
  for (int y = 0; y < image.rows; ++y) {
    const std::uint8_t* row = image.ptr<std::uint8_t>(y);
    map.index.insert(map.index.end(), row, row + image.cols);
  }
  // The decoder spreads fewer than 8 bits over 0..255.
  const int spread = 255 / ((1 << bits) - 1);
  for (std::uint8_t& index : map.index) index = static_cast<std::uint8_t>(index / spread);
  return map;
}

LabelMap read_label_map(const std::filesystem::path& png, const ImageSize& expected) {
  const std::string bytes = calibration::read_sample_file(png);
  try {
    return parse_label_map(bytes, expected);
  } catch (const Error& error) {
    throw error.within(png.string());
  }
}

}  // namespace cleave::evaluation
