#include "evaluation/decoders/decoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"

namespace cleave::evaluation {
namespace {

// An input of 32 x 32 has grids of 4 x 4, 2 x 2 and 1 x 1 cells: 21 rows.
constexpr ImageSize kInput{32, 32};
const Geometry kIdentity{kInput, kInput, {}, {}};

void expect_near(const Box& box, const Box& expected) {
  EXPECT_NEAR(box.left, expected.left, 1e-5);
  EXPECT_NEAR(box.top, expected.top, 1e-5);
  EXPECT_NEAR(box.right, expected.right, 1e-5);
  EXPECT_NEAR(box.bottom, expected.bottom, 1e-5);
}

/// A YOLOX output for two classes with one row set.
std::vector<Tensor> yolox_output(std::size_t row, const std::vector<float>& values) {
  Tensor output(DType::kFloat32, {1, 21, 7});
  std::copy(values.begin(), values.end(), output.mutable_data<float>().begin() + static_cast<std::ptrdiff_t>(7 * row));
  return {output};
}

/// NanoDet outputs for two classes and eight bins, all scores 0, all distances uniform.
std::vector<Tensor> nanodet_outputs() {
  std::vector<Tensor> outputs;
  for (const std::int64_t columns : {2, 32}) {
    for (const std::int64_t cells : {16, 4, 1}) outputs.emplace_back(DType::kFloat32, Shape{1, cells, columns});
  }
  return outputs;
}

TEST(Yolox, CellsOfEachStrideGiveBoxesRelativeToTheirCorner) {
  const float log2 = std::log(2.0F);
  // Row 18 is cell (1, 0) of stride 16: centre (0 + 0.5, 1 + 0.25) * 16, size (2, 1) * 16.
  const std::vector<Detection> found =
      decode_yolox(yolox_output(18, {0.5F, 0.25F, log2, 0, 0.5F, 0.5F, 0.75F}), kInput, 0.3);
  ASSERT_EQ(found.size(), 1U);
  expect_near(found[0].box, {-8, 12, 24, 28});
  EXPECT_EQ(found[0].class_index, 1);
  EXPECT_DOUBLE_EQ(found[0].score, 0.375);
  // Row 6 is cell (1, 2) of stride 8, row 20 the only cell of stride 32.
  expect_near(decode_yolox(yolox_output(6, {0, 0, 0, 0, 1, 1, 0}), kInput, 0.5).at(0).box, {12, 4, 20, 12});
  expect_near(decode_yolox(yolox_output(20, {0, 0, 0, 0, 1, 1, 0}), kInput, 0.5).at(0).box, {-16, -16, 16, 16});
}

TEST(Yolox, EveryClassAboveTheScoreIsADetection) {
  EXPECT_EQ(decode_yolox(yolox_output(3, {0, 0, 0, 0, 0.5F, 0.5F, 0.75F}), kInput, 0.25).size(), 2U);
}

TEST(Yolox, OtherOutputsAreRefused) {
  EXPECT_THROW(decode_yolox({}, kInput, 0.3), Error);
  EXPECT_THROW(decode_yolox(nanodet_outputs(), kInput, 0.3), Error);
  EXPECT_THROW(decode_yolox(yolox_output(0, {}), {64, 64}, 0.3), Error);
  EXPECT_THROW(decode_yolox(std::vector<Tensor>{Tensor(DType::kFloat32, {1, 21, 5})}, kInput, 0.3), Error);
  EXPECT_THROW(decode_yolox(std::vector<Tensor>{Tensor(DType::kUint8, {1, 21, 7})}, kInput, 0.3), Error);
}

TEST(Nanodet, DistancesAreTheMeanBinTimesTheStride) {
  std::vector<Tensor> outputs = nanodet_outputs();
  outputs[0].mutable_data<float>()[9 * 2 + 1] = 0.5F;  // cell (2, 1) of stride 8, class 1: centre (12, 20)
  const std::array<std::size_t, 4> sure{1, 2, 3, 0};   // left, top, right, bottom
  for (std::size_t side = 0; side < 4; ++side) {
    outputs[3].mutable_data<float>()[9 * 32 + side * 8 + sure[side]] = 1000;
  }
  const std::vector<Detection> found = decode_nanodet(outputs, kInput, 0.3);
  ASSERT_EQ(found.size(), 1U);
  expect_near(found[0].box, {12 - 8, 20 - 16, 12 + 24, 20});
  EXPECT_EQ(found[0].class_index, 1);
  EXPECT_DOUBLE_EQ(found[0].score, 0.5);
}

TEST(Nanodet, AnUndecidedDistributionMeansTheMiddle) {
  std::vector<Tensor> outputs = nanodet_outputs();
  outputs[2].mutable_data<float>()[0] = 0.5F;  // the cell of stride 32: centre (16, 16), distance 3.5 * 32
  expect_near(decode_nanodet(outputs, kInput, 0.3).at(0).box, {-96, -96, 128, 128});
}

TEST(Nanodet, OtherOutputsAreRefused) {
  EXPECT_THROW(decode_nanodet({}, kInput, 0.3), Error);
  EXPECT_THROW(decode_nanodet(nanodet_outputs(), {64, 64}, 0.3), Error);
  std::vector<Tensor> five = nanodet_outputs();
  five.pop_back();
  EXPECT_THROW(decode_nanodet(five, kInput, 0.3), Error);
  std::vector<Tensor> odd = nanodet_outputs();
  odd[5] = Tensor(DType::kFloat32, {1, 1, 33});
  EXPECT_THROW(decode_nanodet(odd, kInput, 0.3), Error);
}

TEST(Detect, SuppressesAndReturnsToThePicture) {
  Tensor output(DType::kFloat32, {1, 21, 7});
  const std::vector<float> row{0.5F, 0.5F, 0, 0, 1, 0.5F, 0};
  for (const std::size_t at : {5U, 16U}) {
    std::copy(row.begin(), row.end(), output.mutable_data<float>().begin() + static_cast<std::ptrdiff_t>(7 * at));
  }
  // Row 5: (8, 8)..(16, 16); row 16: (0, 0)..(16, 16), IoU 1/4. The input shows the picture at half its size.
  const Geometry half{{64, 64}, kInput, {0.5, 0}, {0.5, 0}};
  const std::vector<Detection> found = detect(find_decoder("yolox"), std::vector<Tensor>{output}, half);
  ASSERT_EQ(found.size(), 2U);
  expect_near(found[0].box, {16, 16, 32, 32});
  expect_near(found[1].box, {0, 0, 32, 32});
}

TEST(Detect, BoxesThatAreNotFiniteAreDropped) {
  const Decoder& yolox = find_decoder("yolox");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(detect(yolox, yolox_output(0, {0, 0, 1000, 0, 1, 1, 0}), kIdentity).empty());
  EXPECT_TRUE(detect(yolox, yolox_output(0, {nan, 0, 0, 0, 1, 1, 0}), kIdentity).empty());
  EXPECT_TRUE(detect(yolox, yolox_output(0, {0.5F, 0.5F, 0, 0, nan, 1, 0}), kIdentity).empty());
}

TEST(FindDecoder, KnowsItsNamesAndSuggestsThemForOthers) {
  for (const std::string& name : decoder_names()) EXPECT_EQ(find_decoder(name).name, name);
  try {
    find_decoder("yolo");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("did you mean 'yolox'"), std::string::npos);
  }
}

}  // namespace
}  // namespace cleave::evaluation
