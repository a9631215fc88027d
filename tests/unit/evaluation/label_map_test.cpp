#include "evaluation/label_map.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"
#include "label_pictures.h"
#include "support/temporary_folder.h"

namespace cleave::evaluation {
namespace {

using Indices = std::vector<std::uint8_t>;
using testing::from_hex;

Indices indices(std::string_view hex) {
  return parse_label_map(from_hex(hex), {2, 3}).index;
}

std::string refusal(const std::string& png, const ImageSize& size) {
  try {
    parse_label_map(png, size);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

TEST(LabelMap, GreyPicturesHoldTheIndices) {
  EXPECT_EQ(indices(testing::kGrey2x3), (Indices{0, 1, 255, 20, 7, 0}));
}

TEST(LabelMap, OfAPaletteTheIndexCountsNotTheColour) {
  EXPECT_EQ(indices(testing::kPalette2x3), (Indices{0, 1, 21, 20, 7, 0}));
}

TEST(LabelMap, FewerBitsThanEightAreReadAsTheyAre) {
  EXPECT_EQ(indices(testing::kFourBits2x3), (Indices{0, 1, 15, 11, 7, 0}));
  EXPECT_EQ(indices(testing::kOneBit2x3), (Indices{0, 1, 1, 1, 0, 0}));
}

TEST(LabelMap, ColoursAndSixteenBitsAreNoIndices) {
  EXPECT_NE(refusal(from_hex(testing::kColours1x2), {1, 2}).find("not class indices"), std::string::npos);
  EXPECT_NE(refusal(from_hex(testing::kSixteenBits1x3), {1, 3}).find("not class indices"), std::string::npos);
}

TEST(LabelMap, ALabelOfAnotherSizeThanItsImageIsAnError) {
  const std::string message = refusal(from_hex(testing::kGrey2x3), {3, 2});
  EXPECT_NE(message.find("2x3"), std::string::npos) << message;
  EXPECT_NE(message.find("3x2"), std::string::npos) << message;
}

TEST(LabelMap, DamageIsAnErrorWhereverItIs) {
  const std::string whole = from_hex(testing::kPalette2x3);
  for (std::size_t length = 0; length < whole.size() - 4; ++length) refusal(whole.substr(0, length), {2, 3});
  std::string no_header = whole;
  no_header[12] = 'X';
  EXPECT_NE(refusal(no_header, {2, 3}).find("damaged"), std::string::npos);
  EXPECT_NE(refusal("P5\n3 2\n255\nabcdef", {2, 3}).find("must be a PNG"), std::string::npos);
}

TEST(LabelMap, MessagesNameTheFile) {
  const ::cleave::testing::TemporaryFolder folder;
  write_file_atomically(folder / "cat.png", from_hex(testing::kGrey2x3));
  EXPECT_EQ(read_label_map(folder / "cat.png", {2, 3}).index.size(), 6U);
  try {
    read_label_map(folder / "cat.png", {9, 9});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("cat.png"), std::string::npos);
  }
}

}  // namespace
}  // namespace cleave::evaluation
