#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "calibration/image_header.h"
#include "calibration/preprocess.h"
#include "core/error.h"
#include "core/file.h"
#include "picture.h"
#include "support/shared.h"
#include "support/temporary_folder.h"

namespace cleave::calibration {
namespace {

constexpr int kHeight = 23;
constexpr int kWidth = 37;

std::string encoded(const std::string& ending) {
  const std::vector<int> rgb = testing::colourful(kHeight, kWidth);
  cv::Mat image(kHeight, kWidth, CV_8UC3);
  for (std::size_t i = 0; i < rgb.size(); ++i) image.data[i / 3 * 3 + (2 - i % 3)] = static_cast<std::uint8_t>(rgb[i]);
  std::vector<std::uint8_t> bytes;
  cv::imencode("." + ending, image, bytes);
  return {bytes.begin(), bytes.end()};
}

std::vector<std::uint8_t> colourful_bytes() {
  const std::vector<int> rgb = testing::colourful(kHeight, kWidth);
  return {rgb.begin(), rgb.end()};
}

/// What decoding says: "" when it works.
std::string refusal(const std::string& bytes) {
  try {
    decode_pixels(bytes, Preprocess());
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    return error.what();
  }
  return "";
}

std::string example_jpeg() {
  return read_file(testing::source_dir() / "examples/images/calibration/00000.jpg");
}

class ImageFormat : public ::testing::TestWithParam<const char*> {};

TEST_P(ImageFormat, HeaderGivesTheSizeWithoutDecoding) {
  const ImageHeader header = read_image_header(encoded(GetParam()));
  EXPECT_EQ(header.height, kHeight);
  EXPECT_EQ(header.width, kWidth);
}

TEST_P(ImageFormat, DecodesToThePicture) {
  const Pixels pixels = decode_pixels(encoded(GetParam()), Preprocess());
  ASSERT_EQ(pixels.data.size(), colourful_bytes().size());
  const std::string format = read_image_header(encoded(GetParam())).format;
  const bool lossy = format == "JPEG" || format == "WebP";
  if (!lossy) {
    EXPECT_EQ(pixels.data, colourful_bytes());
  }
}

TEST_P(ImageFormat, AFileCutShortAnywhereIsRefused) {
  const std::string whole = encoded(GetParam());
  for (std::size_t size = 0; size < whole.size(); size += 1 + size / 4) {
    EXPECT_NE(refusal(whole.substr(0, size)), "") << size << " of " << whole.size() << " bytes";
  }
  EXPECT_NE(refusal(whole.substr(0, whole.size() - 20)), "");
}

TEST_P(ImageFormat, DamagedBytesNeverDoMoreThanFail) {
  const std::string whole = encoded(GetParam());
  std::uint32_t state = 7;
  for (int trial = 0; trial < 60; ++trial) {
    std::string bytes = whole;
    for (int flips = 0; flips < 4; ++flips) {
      state = state * 1664525U + 1013904223U;
      bytes[(state >> 8) % std::min<std::size_t>(bytes.size(), 200)] ^= static_cast<char>(1U << (state & 7));
    }
    refusal(bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(All, ImageFormat, ::testing::Values("jpg", "png", "bmp", "webp", "ppm", "tif"));

TEST(ImageFile, AnEmptyFileATextAndAnotherFormatAreNamedAsSuch) {
  EXPECT_NE(refusal("").find("empty"), std::string::npos);
  EXPECT_NE(refusal("hello world, this is no picture").find("not an image"), std::string::npos);
  EXPECT_NE(refusal("GIF89a...............").find("not an image"), std::string::npos);
}

TEST(ImageFile, AHugeClaimIsRefusedBeforeDecoding) {
  using namespace std::string_literals;
  const std::string png = "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\x75\x30\0\0\x75\x30\x08\x02\0\0\0crc!\0\0\0\0IENDcrc!"s;
  EXPECT_NE(refusal(png).find("at most 200 000 000"), std::string::npos) << refusal(png);
  EXPECT_NE(refusal("P6 30000 30000 255\nxxx").find("at most 200 000 000"), std::string::npos);
  EXPECT_NE(refusal("P6 99999999999999999999 1 255\nx").find("32 bits"), std::string::npos);
}

TEST(ImageFile, ASizeOfZeroIsDamage) {
  EXPECT_NE(refusal("P6 0 5 255\n").find("no picture size"), std::string::npos);
}

TEST(ImageFile, AJpegWithoutItsEndIsCutShort) {
  const std::string whole = example_jpeg();
  EXPECT_EQ(refusal(whole), "");
  EXPECT_NE(refusal(whole.substr(0, whole.size() / 2)).find("no end marker"), std::string::npos);
  EXPECT_EQ(refusal(whole + "trailing bytes of a camera"), "");
}

TEST(ImageFile, AnExifOrientationIsIgnored) {
  using namespace std::string_literals;
  const std::string plain = example_jpeg();
  const std::string turned =
      "\xFF\xE1\0\x22"s + "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"s;
  const std::string oriented = plain.substr(0, 2) + turned + plain.substr(2);
  EXPECT_EQ(decode_pixels(oriented, Preprocess()).data, decode_pixels(plain, Preprocess()).data);
  const cv::Mat bytes(1, static_cast<int>(oriented.size()), CV_8UC1, const_cast<char*>(oriented.data()));
  const cv::Mat honoured = cv::imdecode(bytes, cv::IMREAD_COLOR);
  const cv::Mat ignored = cv::imdecode(bytes, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  EXPECT_NE(cv::norm(honoured, ignored), 0) << "the inserted orientation must be one that a reader could honour";
}

TEST(ImageFile, MessagesNameTheFile) {
  const testing::TemporaryFolder folder;
  write_file_atomically(folder / "broken.jpg", "no");
  try {
    load_pixels(folder / "broken.jpg", Preprocess());
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("broken.jpg: "), std::string::npos);
  }
  EXPECT_THROW(load_pixels(folder / "absent.jpg", Preprocess()), Error);
  EXPECT_THROW(load_pixels(folder.path(), Preprocess()), Error);
}

}  // namespace
}  // namespace cleave::calibration
