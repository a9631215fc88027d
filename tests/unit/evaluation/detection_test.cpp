#include "evaluation/detection.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"
#include "support/temporary_folder.h"

namespace cleave::evaluation {
namespace {

TEST(Iou, IsSharedAreaOverUnitedArea) {
  EXPECT_DOUBLE_EQ(iou({0, 0, 4, 4}, {0, 0, 4, 4}), 1);
  EXPECT_DOUBLE_EQ(iou({0, 0, 4, 4}, {0, 0, 4, 3}), 0.75);
  EXPECT_DOUBLE_EQ(iou({0, 0, 2, 2}, {1, 1, 3, 3}), 1.0 / 7);
  EXPECT_DOUBLE_EQ(iou({0, 0, 1, 1}, {1, 0, 2, 1}), 0);
  EXPECT_DOUBLE_EQ(iou({0, 0, 1, 1}, {5, 5, 6, 6}), 0);
}

TEST(Iou, BoxesWithoutAreaShareNothing) {
  EXPECT_DOUBLE_EQ(iou({1, 1, 1, 1}, {1, 1, 1, 1}), 0);
  EXPECT_DOUBLE_EQ(iou({3, 0, 1, 2}, {0, 0, 4, 4}), 0);
}

TEST(Suppress, KeepsTheBestOfBoxesThatOverlapInOneClass) {
  const Detection weak{{0, 0, 4, 3}, 1, 0.5};  // IoU 0.75 with the strong one
  const Detection strong{{0, 0, 4, 4}, 1, 0.9};
  const Detection other_class{{0, 0, 4, 4}, 2, 0.4};
  const Detection elsewhere{{9, 9, 12, 12}, 1, 0.1};
  EXPECT_EQ(suppress({weak, elsewhere, strong, other_class}, 0.7, 10),
            (std::vector<Detection>{strong, other_class, elsewhere}));
}

TEST(Suppress, AnOverlapOfExactlyTheLimitStays) {
  const Detection strong{{0, 0, 4, 4}, 1, 0.9};
  const Detection weak{{0, 0, 4, 3}, 1, 0.5};
  EXPECT_EQ(suppress({weak, strong}, 0.75, 10).size(), 2U);
}

TEST(Suppress, ASuppressedBoxSuppressesNothing) {
  // In a row, each overlaps the next by 3/5 and the one after by 2/6.
  const Detection first{{0, 0, 4, 1}, 0, 0.9}, second{{1, 0, 5, 1}, 0, 0.8}, third{{2, 0, 6, 1}, 0, 0.7};
  EXPECT_EQ(suppress({first, second, third}, 0.5, 10), (std::vector<Detection>{first, third}));
}

TEST(Suppress, ReturnsNoMoreThanAsked) {
  std::vector<Detection> many;
  for (int i = 0; i < 9; ++i) many.push_back({{10.0 * i, 0, 10.0 * i + 1, 1}, 0, 0.1 * i});
  const std::vector<Detection> kept = suppress(many, 0.5, 3);
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[0], many[8]);
  EXPECT_EQ(kept[2], many[6]);
}

TEST(ToPicture, UndoesTheGeometryAndClipsToThePicture) {
  Geometry geometry{{100, 200}, {64, 64}, {0.25, 10}, {0.25, 4}};
  const std::vector<Detection> mapped =
      to_picture({{{5, 15, 9, 20}, 3, 0.5}, {{0, 0, 64, 64}, 4, 0.4}, {{60, 20, 64, 30}, 5, 0.3}}, geometry);
  ASSERT_EQ(mapped.size(), 2U);  // the last one lies right of the picture
  EXPECT_EQ(mapped[0], (Detection{{4, 20, 20, 40}, 3, 0.5}));
  EXPECT_EQ(mapped[1], (Detection{{0, 0, 200, 100}, 4, 0.4}));
}

class YoloLabels : public ::testing::Test {
 protected:
  std::vector<Detection> read(const std::string& text) const {
    write_file_atomically(folder_ / "cat.txt", text);
    return read_yolo_labels(folder_ / "cat.txt", {100, 200});
  }

  std::string refusal(const std::string& text) const {
    try {
      read(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
      return error.what();
    }
    ADD_FAILURE() << "no error for " << text;
    return {};
  }

  testing::TemporaryFolder folder_;
};

TEST_F(YoloLabels, AreCentresAndSizesRelativeToThePicture) {
  const std::vector<Detection> objects = read("7 0.5 0.5 0.25 0.5\r\n\n  0\t0.125 0.25  0.25 0.5");
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_EQ(objects[0], (Detection{{75, 25, 125, 75}, 7, 1}));
  EXPECT_EQ(objects[1], (Detection{{0, 0, 50, 50}, 0, 1}));
}

TEST_F(YoloLabels, AnEmptyFileIsAPictureWithoutObjects) {
  EXPECT_TRUE(read("").empty());
}

TEST_F(YoloLabels, ErrorsNameFileAndLine) {
  const std::string message = refusal("1 0.5 0.5 0.1 0.1\n1 0.5 0.5 0.1\n");
  EXPECT_NE(message.find("cat.txt:2"), std::string::npos) << message;
  refusal("cat 0.5 0.5 0.1 0.1");
  refusal("-1 0.5 0.5 0.1 0.1");
  refusal("1 0.5 0.5 0 0.1");
  refusal("1 0.5 0.5 0.1 nan");
  refusal("1 0.1 0.1 0.2 0.2 0.3 0.3");
}

}  // namespace
}  // namespace cleave::evaluation
