#include "evaluation/geometry.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cleave::evaluation {
namespace {

using calibration::Preprocess;

Preprocess::Resize longer(std::int64_t px) {
  Preprocess::Resize resize;
  resize.longer_px = px;
  return resize;
}

Preprocess::Resize shorter(std::int64_t px) {
  Preprocess::Resize resize;
  resize.shorter_px = px;
  return resize;
}

Preprocess::Resize exactly(std::int64_t height, std::int64_t width) {
  Preprocess::Resize resize;
  resize.size_px = {height, width};
  return resize;
}

/// A grey picture as a file: PPM needs no encoder.
std::string picture(const ImageSize& size) {
  return "P6\n" + std::to_string(size.width) + " " + std::to_string(size.height) + "\n255\n" +
         std::string(static_cast<std::size_t>(3 * size.height * size.width), '\x40');
}

TEST(Geometry, WithoutStepsThePictureIsTheInput) {
  const Geometry geometry = geometry_of({}, {7, 9});
  EXPECT_EQ(geometry.original, (ImageSize{7, 9}));
  EXPECT_EQ(geometry.input, (ImageSize{7, 9}));
  EXPECT_DOUBLE_EQ(geometry.x.to_original(3.25), 3.25);
  EXPECT_DOUBLE_EQ(geometry.y.to_input(3.25), 3.25);
}

TEST(Geometry, ALetterboxScalesAndLeavesThePictureAtTheTopLeft) {
  Preprocess letterbox;
  letterbox.resize = longer(416);
  letterbox.pad = Preprocess::Pad{{416, 416}, 114, false};
  const Geometry geometry = geometry_of(letterbox, {480, 640});
  EXPECT_EQ(geometry.input, (ImageSize{416, 416}));
  EXPECT_DOUBLE_EQ(geometry.x.to_original(416), 640);
  EXPECT_DOUBLE_EQ(geometry.y.to_original(312), 480);
  EXPECT_DOUBLE_EQ(geometry.y.to_original(0), 0);
}

TEST(Geometry, EachAxisHasItsOwnScaleWhenARoundedSideIsOff) {
  Preprocess block;
  block.resize = longer(100);
  const Geometry geometry = geometry_of(block, {333, 500});  // 333 * 100 / 500 = 66.6: 66 rows
  EXPECT_EQ(geometry.input, (ImageSize{66, 100}));
  EXPECT_DOUBLE_EQ(geometry.y.scale, 66.0 / 333);
  EXPECT_DOUBLE_EQ(geometry.x.scale, 0.2);
}

TEST(Geometry, ACentreCropMovesTheOriginOutOfTheInput) {
  Preprocess block;
  block.resize = shorter(256);
  block.center_crop_px = {224, 224};
  const Geometry geometry = geometry_of(block, {512, 1024});  // 256 x 512, then 16 rows and 144 columns go
  EXPECT_EQ(geometry.input, (ImageSize{224, 224}));
  EXPECT_DOUBLE_EQ(geometry.y.to_original(0), 32);
  EXPECT_DOUBLE_EQ(geometry.x.to_original(0), 288);
  EXPECT_DOUBLE_EQ(geometry.x.to_input(0), -144);
}

TEST(Geometry, APictureSmallerThanTheCropIsCentred) {
  Preprocess block;
  block.center_crop_px = {10, 11};
  const Geometry geometry = geometry_of(block, {7, 4});
  EXPECT_EQ(geometry.input, (ImageSize{10, 11}));
  EXPECT_DOUBLE_EQ(geometry.y.to_input(0), 1);
  EXPECT_DOUBLE_EQ(geometry.x.to_input(0), 3);
}

/// decode_pixels says where it left the picture when there is a pad; that must be where the map leads.
void expect_agrees(const Preprocess& block, const ImageSize& size) {
  const calibration::Pixels pixels = calibration::decode_pixels(picture(size), block);
  const Geometry geometry = geometry_of(block, size);
  EXPECT_EQ(geometry.input, (ImageSize{pixels.height, pixels.width}));
  ASSERT_TRUE(pixels.border.has_value());
  EXPECT_EQ(geometry.y.to_input(0), static_cast<double>(pixels.border->top));
  EXPECT_EQ(geometry.x.to_input(0), static_cast<double>(pixels.border->left));
  EXPECT_EQ(std::lround(geometry.y.scale * static_cast<double>(size.height)), pixels.border->height);
  EXPECT_EQ(std::lround(geometry.x.scale * static_cast<double>(size.width)), pixels.border->width);
}

TEST(Geometry, AgreesWithWherePreprocessingLeavesThePicture) {
  for (const Preprocess::Resize& resize : {longer(37), shorter(19), exactly(30, 23)}) {
    for (const bool center : {false, true}) {
      for (const std::int64_t crop : {40, 61, 90}) {
        for (const ImageSize& size : {ImageSize{20, 41}, ImageSize{41, 20}, ImageSize{50, 50}, ImageSize{1, 2}}) {
          Preprocess block;
          block.resize = resize;
          block.pad = Preprocess::Pad{{71, 82}, 9, center};
          block.center_crop_px = {crop, crop - 3};
          expect_agrees(block, size);
        }
      }
    }
  }
}

}  // namespace
}  // namespace cleave::evaluation
