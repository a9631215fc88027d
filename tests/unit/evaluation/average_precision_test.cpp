#include "evaluation/average_precision.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "core/error.h"

namespace cleave::evaluation {
namespace {

const Box kHere{0, 0, 4, 4};
const Box kThere{10, 10, 14, 14};
const Box kNowhere{50, 50, 51, 51};

Detection object(const Box& box, std::int64_t class_index = 0) {
  return {box, class_index, 1};
}

AveragePrecision precision(const std::vector<DetectedImage>& images) {
  return average_precision(images);
}

TEST(AveragePrecision, PerfectDetectionsScoreOne) {
  const AveragePrecision result =
      precision({{{{kHere, 3, 0.2}}, {object(kHere, 3)}}, {{{kThere, 5, 0.9}}, {object(kThere, 5)}}});
  EXPECT_DOUBLE_EQ(result.map_50_95, 1);
  EXPECT_DOUBLE_EQ(result.map_50, 1);
}

TEST(AveragePrecision, IsTheAreaUnderTheInterpolatedCurve) {
  // Hit, miss, hit for two objects: precision 1 up to recall 0.50 (51 levels), 2/3 up to 1 (50 levels).
  const AveragePrecision result =
      precision({{{{kHere, 0, 0.9}, {kNowhere, 0, 0.8}, {kThere, 0, 0.7}}, {object(kHere), object(kThere)}}});
  EXPECT_NEAR(result.map_50, (51 + 50 * 2.0 / 3) / 101, 1e-12);
}

TEST(AveragePrecision, ASecondDetectionOfAnObjectIsAMiss) {
  const AveragePrecision result =
      precision({{{{kHere, 0, 0.9}, {kHere, 0, 0.8}, {kThere, 0, 0.7}}, {object(kHere), object(kThere)}}});
  EXPECT_NEAR(result.map_50, (51 + 50 * 2.0 / 3) / 101, 1e-12);
}

TEST(AveragePrecision, ABoxCountsAtTheThresholdsItReaches) {
  // IoU 12/16 = 0.75: a hit at 0.50, 0.55, .. 0.75, six of ten thresholds.
  const AveragePrecision result = precision({{{{{0, 0, 4, 3}, 0, 0.9}}, {object(kHere)}}});
  EXPECT_DOUBLE_EQ(result.map_50, 1);
  EXPECT_DOUBLE_EQ(result.map_50_95, 0.6);
}

TEST(AveragePrecision, DetectionsTakeTheObjectTheyCoverBest) {
  // The first detection overlaps both objects by more than half; only its own leaves the other one free.
  const Box left{0, 0, 10, 1}, right{2, 0, 12, 1};
  const AveragePrecision result = precision({{{{right, 0, 0.9}, {left, 0, 0.8}}, {object(left), object(right)}}});
  EXPECT_DOUBLE_EQ(result.map_50_95, 1);
}

TEST(AveragePrecision, ClassesOfTheLabelsAreAveragedAndOthersIgnored) {
  const AveragePrecision result =
      precision({{{{kHere, 0, 0.9}, {kThere, 2, 0.9}}, {object(kHere, 0), object(kThere, 1)}}});
  EXPECT_DOUBLE_EQ(result.map_50, 0.5);  // class 0 found, class 1 not, class 2 nowhere in the labels
}

TEST(AveragePrecision, OnlyTheHundredBestOfAPictureCount) {
  const auto with_misses = [](int misses) {
    DetectedImage image{{{kHere, 0, 0.1}}, {object(kHere)}};
    for (int i = 0; i < misses; ++i) image.found.push_back({kNowhere, 0, 0.9});
    return precision({image}).map_50;
  };
  EXPECT_DOUBLE_EQ(with_misses(99), 0.01);
  EXPECT_DOUBLE_EQ(with_misses(100), 0);
}

TEST(AveragePrecision, LabelsWithoutAnyObjectAreAnError) {
  EXPECT_THROW(precision({{{{kHere, 0, 0.9}}, {}}}), Error);
  EXPECT_THROW(precision({}), Error);
}

// A second implementation, straight from the definition: every curve point, every recall level, no sorting tricks.
struct Ranked {
  double score;
  bool hit;
};

std::vector<Ranked> ranked_hits(const std::vector<DetectedImage>& images, std::int64_t c, double t) {
  std::vector<Ranked> all;
  for (const DetectedImage& image : images) {
    std::set<std::size_t> taken, done;
    for (std::size_t round = 0; round < image.found.size(); ++round) {
      std::size_t pick = image.found.size();
      for (std::size_t d = 0; d < image.found.size(); ++d) {
        if (done.contains(d) || image.found[d].class_index != c) continue;
        if (pick == image.found.size() || image.found[d].score > image.found[pick].score) pick = d;
      }
      if (pick == image.found.size()) break;
      done.insert(pick);
      std::vector<std::pair<double, std::size_t>> candidates;
      for (std::size_t g = 0; g < image.truth.size(); ++g) {
        if (taken.contains(g) || image.truth[g].class_index != c) continue;
        const double overlap = iou(image.truth[g].box, image.found[pick].box);
        if (overlap >= t) candidates.emplace_back(overlap, g);
      }
      if (!candidates.empty()) taken.insert(std::max_element(candidates.begin(), candidates.end())->second);
      all.push_back({image.found[pick].score, !candidates.empty()});
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
  return all;
}

double defined_precision(const std::vector<DetectedImage>& images, std::int64_t c, double t, int objects) {
  const std::vector<Ranked> all = ranked_hits(images, c, t);
  double sum = 0;
  for (int level = 0; level <= 100; ++level) {
    double best = 0;
    int hits = 0;
    for (std::size_t k = 0; k < all.size(); ++k) {
      hits += all[k].hit ? 1 : 0;
      if (hits * 100 >= level * objects) best = std::max(best, hits / static_cast<double>(k + 1));
    }
    sum += best;
  }
  return sum / 101;
}

AveragePrecision defined(const std::vector<DetectedImage>& images) {
  AveragePrecision result;
  int classes = 0;
  for (std::int64_t c = 0; c < 3; ++c) {
    int objects = 0;
    for (const DetectedImage& image : images) {
      objects += static_cast<int>(std::count_if(image.truth.begin(), image.truth.end(),
                                                [&](const Detection& d) { return d.class_index == c; }));
    }
    if (objects == 0) continue;
    ++classes;
    for (int t = 50; t < 100; t += 5) result.map_50_95 += defined_precision(images, c, t / 100.0, objects) / 10;
    result.map_50 += defined_precision(images, c, 0.5, objects);
  }
  return {result.map_50_95 / classes, result.map_50 / classes};
}

Detection any_detection() {
  const int left = *rc::gen::inRange(0, 6), top = *rc::gen::inRange(0, 6);
  const Box box{1.0 * left, 1.0 * top, 1.0 * left + *rc::gen::inRange(1, 7), 1.0 * top + *rc::gen::inRange(1, 7)};
  return {box, *rc::gen::inRange<std::int64_t>(0, 3), *rc::gen::inRange(0, 20) / 20.0};
}

std::vector<DetectedImage> any_images() {
  std::vector<DetectedImage> images(static_cast<std::size_t>(*rc::gen::inRange(1, 4)));
  for (DetectedImage& image : images) {
    for (int i = *rc::gen::inRange(0, 8); i > 0; --i) image.found.push_back(any_detection());
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i) image.truth.push_back(any_detection());
  }
  images[0].truth.push_back(any_detection());
  return images;
}

TEST(AveragePrecision, AgreesWithItsDefinitionOnRandomPictures) {
  EXPECT_TRUE(rc::check([] {
    const std::vector<DetectedImage> images = any_images();
    const AveragePrecision fast = average_precision(images);
    const AveragePrecision slow = defined(images);
    RC_ASSERT(std::abs(fast.map_50 - slow.map_50) < 1e-12);
    RC_ASSERT(std::abs(fast.map_50_95 - slow.map_50_95) < 1e-12);
  }));
}

TEST(AveragePrecision, AMissBelowEveryOtherScoreNeverHelps) {
  EXPECT_TRUE(rc::check([] {
    std::vector<DetectedImage> images = any_images();
    const double before = average_precision(images).map_50_95;
    images[0].found.push_back({kNowhere, *rc::gen::inRange<std::int64_t>(0, 3), -1});
    RC_ASSERT(average_precision(images).map_50_95 <= before + 1e-12);
  }));
}

TEST(DetectionAgreement, IsOneForTheSameDetectionsAndForNone) {
  const std::vector<std::vector<Detection>> some{{{kHere, 0, 0.9}, {kThere, 1, 0.5}}, {}};
  EXPECT_DOUBLE_EQ(detection_agreement(some, some), 1);
  const std::vector<std::vector<Detection>> none(2);
  EXPECT_DOUBLE_EQ(detection_agreement(none, none), 1);
  EXPECT_DOUBLE_EQ(detection_agreement(some, none), 0);
}

TEST(DetectionAgreement, IsTheF1OfMatches) {
  const std::vector<std::vector<Detection>> one{{{kHere, 0, 0.9}, {kThere, 1, 0.5}, {kNowhere, 1, 0.29}}};
  const std::vector<std::vector<Detection>> other{{{{0, 0, 4, 3}, 0, 0.4}, {kThere, 2, 0.5}, {kThere, 2, 0.4}}};
  // Confident: two and three; one match (kThere differs in class).
  EXPECT_DOUBLE_EQ(detection_agreement(one, other), 2.0 / 5);
  EXPECT_DOUBLE_EQ(detection_agreement(other, one), 2.0 / 5);
}

}  // namespace
}  // namespace cleave::evaluation
