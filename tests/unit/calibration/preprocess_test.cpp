#include "calibration/preprocess.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "picture.h"
#include "support/shared.h"
#include "support/temporary_folder.h"

namespace cleave::calibration {
namespace {

using testing::grey;
using testing::ppm_bytes;

Preprocess block(const std::string& keys) {
  const std::string text = R"({"schema":"cleave.preprocess/1")" + (keys.empty() ? "" : "," + keys) + "}";
  return Preprocess::from_json(parse_json(text, "block"), "block");
}

/// Pixels of a grey picture after geometry, one number each.
std::vector<int> pixels_after(const Preprocess& preprocess, int height, int width, const std::vector<int>& values) {
  const Pixels pixels = decode_pixels(ppm_bytes(height, width, grey(values)), preprocess);
  std::vector<int> result;
  for (std::size_t i = 0; i < pixels.data.size(); i += static_cast<std::size_t>(pixels.channels)) {
    result.push_back(pixels.data[i]);
  }
  return result;
}

std::vector<float> tensor_values(const Preprocess& preprocess, int height, int width, const std::vector<int>& rgb) {
  const Tensor tensor = to_tensor(decode_pixels(ppm_bytes(height, width, rgb), preprocess), preprocess);
  const auto data = tensor.data<float>();
  return {data.begin(), data.end()};
}

std::string message_of(const std::string& keys) {
  try {
    block(keys);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    return error.what();
  }
  return "accepted";
}

const std::vector<int> kTwoPixels = {10, 20, 30, 40, 50, 60};

TEST(Preprocess, RawGivesTheStoredPixelsAsPlanesInRgbOrder) {
  const Preprocess raw = Preprocess::find("raw");
  EXPECT_EQ(tensor_values(raw, 1, 2, kTwoPixels), (std::vector<float>{10, 40, 20, 50, 30, 60}));
}

TEST(Preprocess, BgrSwapsRedAndBlue) {
  EXPECT_EQ(tensor_values(block(R"("color":"bgr")"), 1, 2, kTwoPixels), (std::vector<float>{30, 60, 20, 50, 10, 40}));
}

TEST(Preprocess, GrayAndYAreTheLumaOfBt601) {
  // 0.299 * 10 + 0.587 * 200 + 0.114 * 30 = 123.81
  for (const std::string color : {"gray", "y"}) {
    const Preprocess preprocess = block(R"("color":")" + color + "\"");
    const Tensor tensor = to_tensor(decode_pixels(ppm_bytes(1, 1, {10, 200, 30}), preprocess), preprocess);
    EXPECT_EQ(tensor.shape(), (Shape{1, 1, 1, 1}));
    EXPECT_EQ(tensor.data<float>()[0], 124.0F) << color;
  }
}

TEST(Preprocess, NormalisesEachChannelWithItsOwnMeanAndStd) {
  const Preprocess preprocess = block(R"("scale":0.5,"mean":[1,2,3],"std":[2,4,0.5])");
  EXPECT_EQ(tensor_values(preprocess, 1, 1, {10, 20, 30}), (std::vector<float>{2, 2, 24}));
}

TEST(Preprocess, OneMeanAndOneStdServeAllChannels) {
  const Preprocess preprocess = block(R"("mean":[100],"std":50)");
  EXPECT_EQ(tensor_values(preprocess, 1, 1, {0, 100, 200}), (std::vector<float>{-2, 0, 2}));
}

TEST(Preprocess, ChannelsLastInterleaves) {
  const Preprocess preprocess = block(R"("layout":"NHWC")");
  const Tensor tensor = to_tensor(decode_pixels(ppm_bytes(1, 2, kTwoPixels), preprocess), preprocess);
  EXPECT_EQ(tensor.shape(), (Shape{1, 1, 2, 3}));
  const auto data = tensor.data<float>();
  EXPECT_EQ(std::vector<float>(data.begin(), data.end()), (std::vector<float>{10, 20, 30, 40, 50, 60}));
}

TEST(Preprocess, LinearResizeSamplesBetweenPixelCentres) {
  // Centres of 4 samples over 2 pixels: -0.25, 0.25, 0.75, 1.25, clamped to [0, 1].
  const Preprocess preprocess = block(R"("resize":{"size_px":[1,4]})");
  EXPECT_EQ(pixels_after(preprocess, 1, 2, {0, 100}), (std::vector<int>{0, 25, 75, 100}));
}

TEST(Preprocess, AreaResizeAverages) {
  const Preprocess preprocess = block(R"("resize":{"size_px":[1,2],"interpolation":"area"})");
  EXPECT_EQ(pixels_after(preprocess, 1, 4, {0, 100, 200, 40}), (std::vector<int>{50, 120}));
}

TEST(Preprocess, NearestResizeRepeats) {
  const Preprocess preprocess = block(R"("resize":{"size_px":[2,4],"interpolation":"nearest"})");
  EXPECT_EQ(pixels_after(preprocess, 1, 2, {7, 9}), (std::vector<int>{7, 7, 9, 9, 7, 7, 9, 9}));
}

TEST(Preprocess, ShorterAndLongerSideKeepTheProportionsAndRoundDown) {
  const std::string picture = ppm_bytes(30, 50, testing::colourful(30, 50));
  const Pixels shorter = decode_pixels(picture, block(R"("resize":{"shorter_px":20})"));
  EXPECT_EQ(shorter.height, 20);
  EXPECT_EQ(shorter.width, 33);
  const Pixels longer = decode_pixels(picture, block(R"("resize":{"longer_px":21})"));
  EXPECT_EQ(longer.height, 12);
  EXPECT_EQ(longer.width, 21);
}

TEST(Preprocess, ASideNeverShrinksToNothing) {
  const Pixels thin = decode_pixels(ppm_bytes(1, 40, testing::colourful(1, 40)), block(R"("resize":{"longer_px":4})"));
  EXPECT_EQ(thin.height, 1);
  EXPECT_EQ(thin.width, 4);
}

TEST(Preprocess, CentreCropTakesTheMiddleRoundedTowardsTheTopLeft) {
  const Preprocess preprocess = block(R"("center_crop_px":[1,2])");
  EXPECT_EQ(pixels_after(preprocess, 2, 5, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), (std::vector<int>{1, 2}));
}

TEST(Preprocess, PadAddsABorderAtTheBottomRightOrAround) {
  EXPECT_EQ(pixels_after(block(R"("pad":{"size_px":[2,3],"value":9})"), 1, 2, {1, 2}),
            (std::vector<int>{1, 2, 9, 9, 9, 9}));
  EXPECT_EQ(pixels_after(block(R"("pad":{"size_px":[3,3],"value":9,"at":"center"})"), 1, 2, {1, 2}),
            (std::vector<int>{9, 9, 9, 1, 2, 9, 9, 9, 9}));
}

TEST(Preprocess, AFractionalPadValueReachesTheTensorUnrounded) {
  const Preprocess preprocess =
      block(R"("pad":{"size_px":[1,3],"value":127.5},"scale":0.00784313725490196,"mean":[1],"color":"gray")");
  const std::vector<float> values = tensor_values(preprocess, 1, 2, grey({0, 255}));
  EXPECT_EQ(values[0], -1.0F);
  EXPECT_FLOAT_EQ(values[1], 1.0F);
  EXPECT_NEAR(values[2], 0.0, 1e-9);
}

TEST(Preprocess, ACropOfAPaddedPictureKeepsThePaddingWhereItIs) {
  const Preprocess preprocess =
      block(R"("pad":{"size_px":[1,6],"value":0.25,"at":"center"},"center_crop_px":[1,4],"color":"gray")");
  EXPECT_EQ(tensor_values(preprocess, 1, 2, grey({50, 60})), (std::vector<float>{0.25F, 50, 60, 0.25F}));
}

TEST(Preprocess, APictureSmallerThanTheCropIsCentredOnBlack) {
  EXPECT_EQ(pixels_after(block(R"("center_crop_px":[3,5])"), 2, 6, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}),
            (std::vector<int>{1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 0, 0, 0, 0, 0}));
  EXPECT_EQ(pixels_after(block(R"("center_crop_px":[1,4])"), 1, 2, {50, 60}), (std::vector<int>{0, 50, 60, 0}));
}

TEST(Preprocess, APaddedPictureSmallerThanTheCropGoesOnWithThePadValue) {
  const Preprocess preprocess = block(R"("pad":{"size_px":[1,3],"value":0.25},"center_crop_px":[1,5],"color":"gray")");
  EXPECT_EQ(tensor_values(preprocess, 1, 2, grey({50, 60})), (std::vector<float>{0.25F, 50, 60, 0.25F, 0.25F}));
}

TEST(Preprocess, ResizeComesBeforePadAndPadBeforeCrop) {
  const Preprocess preprocess = block(R"("center_crop_px":[2,2],"pad":{"size_px":[2,4],"value":1},
                                          "resize":{"size_px":[2,2],"interpolation":"nearest"})");
  EXPECT_EQ(pixels_after(preprocess, 1, 1, {80}), (std::vector<int>{80, 1, 80, 1}));
}

TEST(Preprocess, SaysWhichSizesDoNotFit) {
  const std::string picture = ppm_bytes(2, 2, grey({1, 2, 3, 4}));
  EXPECT_THROW(decode_pixels(picture, block(R"("pad":{"size_px":[2,1]})")), Error);
  EXPECT_THROW(decode_pixels(picture, block(R"("resize":{"shorter_px":60000})")), Error);
  EXPECT_THROW(decode_pixels(picture, block(R"("pad":{"size_px":[60000,60000]})")), Error);
}

TEST(Preprocess, RefusesBlocksThatMakeNoSense) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"("scael":1)", "did you mean 'scale'"},
      {R"("resize":{"shorter_p":256})", "did you mean 'shorter_px'"},
      {R"("resize":{})", "exactly one of"},
      {R"("resize":{"shorter_px":1,"longer_px":2})", "exactly one of"},
      {R"("resize":{"shorter_px":0})", "not a size in pixels"},
      {R"("resize":{"size_px":[1,2,3]})", "expected [height, width]"},
      {R"("resize":{"size_px":[1,2],"interpolation":"lineer"})", "did you mean 'linear'"},
      {R"("center_crop_px":[224])", "expected [height, width]"},
      {R"("center_crop_px":[224,-1])", "not a size in pixels"},
      {R"("pad":{"value":3})", "'size_px' is missing"},
      {R"("pad":{"size_px":[1,1],"value":300})", "0..255"},
      {R"("pad":{"size_px":[1,1],"at":"middle"})", "none of top_left, center"},
      {R"("std":[1,0,1])", "cannot be divided by"},
      {R"("mean":[1,2])", "2 numbers for 3 channels"},
      {R"("color":"gray","mean":[1,2,3])", "3 numbers for 1 channel"},
      {R"("color":"rgbx")", "did you mean 'rgb'"},
      {R"("layout":"CHW")", "did you mean 'NCHW'"},
      {R"("scale":"big")", "expected a number"},
  };
  for (const auto& [keys, fragment] : cases)
    EXPECT_NE(message_of(keys).find(fragment), std::string::npos) << message_of(keys);
}

TEST(Preprocess, RefusesAnotherSchema) {
  EXPECT_THROW(Preprocess::from_json(parse_json(R"({"schema":"cleave.plan/1"})", "x"), "x"), Error);
}

TEST(Preprocess, PresetsAreTheDocumentedBlocks) {
  const Preprocess imagenet = Preprocess::find("imagenet");
  EXPECT_EQ(imagenet.resize->shorter_px, 256);
  EXPECT_EQ((*imagenet.center_crop_px)[0], 224);
  const Pixels white = decode_pixels(ppm_bytes(1, 1, {255, 255, 255}), Preprocess());
  const Tensor normalised = to_tensor(white, imagenet);
  EXPECT_NEAR(normalised.data<float>()[0], (1 - 0.485) / 0.229, 1e-6);
  EXPECT_NEAR(normalised.data<float>()[2], (1 - 0.406) / 0.225, 1e-6);
  EXPECT_NEAR(to_tensor(white, Preprocess::find("tf")).data<float>()[0], 1.0, 1e-6);
  EXPECT_EQ(to_tensor(white, Preprocess::find("raw")).data<float>()[0], 255.0F);
}

TEST(Preprocess, WrittenBlocksReadBackTheSame) {
  for (const std::string& name : preprocess_presets()) {
    const Json written = Preprocess::find(name).to_json();
    EXPECT_EQ(Preprocess::from_json(written, name).to_json(), written) << name;
  }
  const Json all = block(R"("color":"y","layout":"NHWC","resize":{"longer_px":513,"interpolation":"area"},"scale":2,
                            "pad":{"size_px":[513,513],"value":127.5,"at":"center"},"mean":[3],"std":[4],
                            "center_crop_px":[5,6])")
                       .to_json();
  EXPECT_EQ(Preprocess::from_json(all, "all").to_json(), all);
  EXPECT_EQ(all.at("pad").at("value"), 127.5);
}

TEST(Preprocess, AnExistingFileWinsOverAPreset) {
  const testing::TemporaryFolder folder;
  write_file_atomically(folder / "raw", R"({"schema":"cleave.preprocess/1","scale":3})");
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const double scale = Preprocess::find("raw").scale;
  std::filesystem::current_path(before);
  EXPECT_EQ(scale, 3);
  EXPECT_EQ(Preprocess::find("raw").scale, 1);
}

TEST(Preprocess, AnUnknownNameSuggestsAPreset) {
  try {
    Preprocess::find("imagnet");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("did you mean 'imagenet'"), std::string::npos);
  }
}

TEST(Preprocess, JpegSizeDoesNotDependOnTheChannelOrder) {
  const std::string picture = ppm_bytes(32, 32, testing::colourful(32, 32));
  const std::int64_t rgb = jpeg_bytes(decode_pixels(picture, block("")));
  EXPECT_EQ(rgb, jpeg_bytes(decode_pixels(picture, block(R"("color":"bgr")"))));
  EXPECT_LT(jpeg_bytes(decode_pixels(picture, block(R"("color":"gray")"))), rgb);
  const std::int64_t flat = jpeg_bytes(decode_pixels(ppm_bytes(32, 32, grey(std::vector<int>(1024, 99))), block("")));
  EXPECT_LT(flat, rgb);
  EXPECT_GT(flat, 100);
}

TEST(Preprocess, MeasuringTheJpegLeavesThePixelsAlone) {
  const Pixels pixels = decode_pixels(ppm_bytes(1, 2, kTwoPixels), Preprocess());
  const std::vector<std::uint8_t> before = pixels.data;
  jpeg_bytes(pixels);
  EXPECT_EQ(pixels.data, before);
}

}  // namespace
}  // namespace cleave::calibration
