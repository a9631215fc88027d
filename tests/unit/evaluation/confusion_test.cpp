#include "evaluation/confusion.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace cleave::evaluation {
namespace {

ConfusionMatrix filled(std::size_t classes, const std::vector<std::int64_t>& counts) {
  ConfusionMatrix matrix(classes);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    for (std::int64_t n = 0; n < counts[i]; ++n) matrix.add(i / classes, i % classes);
  }
  return matrix;
}

TEST(Confusion, MeanIouIsSharedOverUnitedPixelsPerClass) {
  // Class 0: 3 shared of 3+1+2; class 1: 4 shared of 4+2+1.
  const ConfusionMatrix matrix = filled(2, {3, 1, 2, 4});
  EXPECT_DOUBLE_EQ(matrix.mean_iou(), (3.0 / 6 + 4.0 / 7) / 2);
  EXPECT_DOUBLE_EQ(matrix.pixel_accuracy(), 7.0 / 10);
  EXPECT_EQ(matrix.pixels(), 10);
}

TEST(Confusion, ClassesThatNeverOccurDoNotCount) {
  EXPECT_DOUBLE_EQ(filled(3, {5, 0, 0, 0, 0, 0, 0, 0, 5}).mean_iou(), 1);
}

TEST(Confusion, AClassThatIsOnlyPredictedCountsAsMissed) {
  EXPECT_DOUBLE_EQ(filled(2, {3, 1, 0, 0}).mean_iou(), (3.0 / 4 + 0) / 2);
}

TEST(Confusion, NothingCountedIsZero) {
  EXPECT_DOUBLE_EQ(ConfusionMatrix(4).mean_iou(), 0);
  EXPECT_DOUBLE_EQ(ConfusionMatrix().pixel_accuracy(), 0);
}

TEST(Confusion, MergingAddsCounts) {
  ConfusionMatrix sum;
  sum.merge(filled(2, {3, 1, 0, 2}));
  sum.merge(filled(2, {0, 0, 2, 2}));
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(sum.count(i / 2, i % 2), filled(2, {3, 1, 2, 4}).count(i / 2, i % 2));
  }
  EXPECT_THROW(sum.merge(ConfusionMatrix(3)), Error);
}

}  // namespace
}  // namespace cleave::evaluation
