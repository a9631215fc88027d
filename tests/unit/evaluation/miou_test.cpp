#include "evaluation/miou.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"
#include "label_pictures.h"
#include "support/temporary_folder.h"

namespace cleave::evaluation {
namespace {

namespace fs = std::filesystem;
using Indices = std::vector<std::uint8_t>;

Geometry identity(std::int64_t height, std::int64_t width) {
  return {{height, width}, {height, width}, {}, {}};
}

TEST(PredictLabels, TakesTheLargestScoreAndTheLowestOfEqualClasses) {
  const Tensor scores = Tensor::from<float>({1, 3, 1, 4}, std::vector<float>{5, 1, 2, 0,  //
                                                                             4, 1, 3, 0,  //
                                                                             6, 0, 3, -1});
  EXPECT_EQ(predict_labels(scores, "NCHW", identity(1, 4)).index, (Indices{2, 0, 1, 0}));
}

TEST(PredictLabels, ReadsChannelsLastWhenTheLayoutSaysSo) {
  const Tensor scores = Tensor::from<float>({1, 2, 2, 3}, std::vector<float>{9, 0, 0, 0, 9, 0,  //
                                                                             0, 0, 9, 1, 0, 0});
  EXPECT_EQ(predict_labels(scores, "NHWC", identity(2, 2)).index, (Indices{0, 1, 2, 0}));
}

TEST(PredictLabels, CoarseScoresAreInterpolatedBetweenPixelCentres) {
  // Class 0 over four pixels: 1, 0.75, 0.25, 0.
  const auto labels = [](float other) {
    const Tensor scores = Tensor::from<float>({1, 2, 1, 2}, std::vector<float>{1, 0, other, other});
    return predict_labels(scores, "NCHW", identity(1, 4)).index;
  };
  EXPECT_EQ(labels(0.8F), (Indices{0, 1, 1, 1}));
  EXPECT_EQ(labels(0.7F), (Indices{0, 0, 1, 1}));
  EXPECT_EQ(labels(0.2F), (Indices{0, 0, 0, 1}));
}

TEST(PredictLabels, RowsAreInterpolatedLikeColumns) {
  const Tensor scores = Tensor::from<float>({1, 2, 2, 1}, std::vector<float>{1, 0, 0.7F, 0.7F});
  EXPECT_EQ(predict_labels(scores, "NCHW", identity(4, 1)).index, (Indices{0, 0, 1, 1}));
}

TEST(PredictLabels, ScoresOverThePaddingAreNeverMixedIn) {
  // The picture's four columns became the left two of the input; the right two are padding.
  const Geometry padded{{1, 4}, {1, 4}, {}, {0.5, 0}};
  const Tensor scores = Tensor::from<float>({1, 2, 1, 4}, std::vector<float>{1, 1, -100, -100, 0, 0, 100, 100});
  EXPECT_EQ(predict_labels(scores, "NCHW", padded).index, (Indices{0, 0, 0, 0}));
}

TEST(PredictLabels, WhatTheCropCutAwayIsIgnored) {
  const Geometry cropped{{3, 4}, {1, 2}, {1, -1}, {1, -1}};
  const Tensor scores = Tensor::from<float>({1, 2, 1, 2}, std::vector<float>{1, 0, 0, 1});
  EXPECT_EQ(predict_labels(scores, "NCHW", cropped).index,
            (Indices{255, 255, 255, 255, 255, 0, 1, 255, 255, 255, 255, 255}));
}

TEST(PredictLabels, OtherOutputsAreRefused) {
  EXPECT_THROW(predict_labels(Tensor(DType::kFloat32, {1, 1000}), "NCHW", identity(1, 1)), Error);
  EXPECT_THROW(predict_labels(Tensor(DType::kInt64, {1, 2, 2, 2}), "NCHW", identity(2, 2)), Error);
  EXPECT_THROW(predict_labels(Tensor(DType::kFloat32, {1, 256, 2, 2}), "NCHW", identity(2, 2)), Error);
  EXPECT_THROW(predict_labels(Tensor(DType::kFloat32, {2, 2, 2, 2}), "NCHW", identity(2, 2)), Error);
}

TEST(CompareLabels, IgnoredPixelsOfEitherMapDoNotCount) {
  const ConfusionMatrix matrix = compare_labels({{1, 4}, {0, 255, 1, 1}}, {{1, 4}, {0, 0, 255, 0}}, 2);
  EXPECT_EQ(matrix.pixels(), 2);
  EXPECT_EQ(matrix.count(0, 0), 1);
  EXPECT_EQ(matrix.count(1, 0), 1);
}

TEST(CompareLabels, AClassTheNetworkDoesNotKnowIsAnError) {
  EXPECT_THROW(compare_labels({{1, 1}, {2}}, {{1, 1}, {0}}, 2), Error);
}

/// Samples of 1 x 2 x h x w class scores, which the network gives back as they are.
class EvaluateMiou : public ::testing::Test {
 protected:
  EvaluateMiou() {
    fs::create_directories(folder_ / "images");
    fs::create_directories(folder_ / "labels");
    // Predicted 0 1 / 0 1, labelled 0 1 / 1 -.
    add("a", {0, 1, 0, 1}, testing::kGrey2x2);
    // Predicted 1 1 / 1 1, labelled the same way.
    add("b", {1, 1, 1, 1}, testing::kGrey2x2);
  }

  void add(const std::string& name, const std::vector<float>& second_class, std::string_view label) const {
    std::vector<float> scores(4, 0.5F);
    scores.insert(scores.end(), second_class.begin(), second_class.end());
    write_file_atomically(folder_ / "images" / (name + ".npy"),
                          calibration::npy_bytes(Tensor::from<float>({1, 2, 2, 2}, scores)));
    if (!label.empty()) write_file_atomically(folder_ / "labels" / (name + ".png"), testing::from_hex(label));
  }

  LabelledRun run(int threads = 1) const {
    const auto echo = [] { return Predictor([](const Tensor& input) { return std::vector<Tensor>{input}; }); };
    return {calibration::ImageSet::open(folder_ / "images"), folder_ / "labels", {}, {1, 2, 2, 2}, echo, {}, threads};
  }

  ::cleave::testing::TemporaryFolder folder_;
};

TEST_F(EvaluateMiou, CountsThePixelsOfAllPicturesTogether) {
  // Together: (0,0) 1, (0,1) 1, (1,0) 1, (1,1) 3.
  const Accuracy accuracy = evaluate_miou(run());
  EXPECT_EQ(accuracy.images, 2);
  EXPECT_DOUBLE_EQ(accuracy.value, (1.0 / 3 + 3.0 / 5) / 2);
  EXPECT_DOUBLE_EQ(accuracy.details.at("pixel_accuracy"), 4.0 / 6);
  EXPECT_FALSE(accuracy.reference_value.has_value());
  EXPECT_FALSE(accuracy.agreement.has_value());
}

TEST_F(EvaluateMiou, AgreementIsTheShareOfPixelsWithTheSameClass) {
  LabelledRun with_reference = run();
  with_reference.make_reference = [] {
    return Predictor([](const Tensor&) { return std::vector<Tensor>{Tensor(DType::kFloat32, {1, 2, 2, 2})}; });
  };
  const Accuracy accuracy = evaluate_miou(with_reference);  // the reference says 0 everywhere
  EXPECT_DOUBLE_EQ(*accuracy.reference_value, (2.0 / 6 + 0) / 2);
  EXPECT_DOUBLE_EQ(*accuracy.agreement, 2.0 / 8);
}

TEST_F(EvaluateMiou, PicturesWithoutALabelAreLeftOut) {
  add("c", {0, 0, 0, 0}, "");
  EXPECT_EQ(evaluate_miou(run()).images, 2);
}

TEST_F(EvaluateMiou, DoesNotDependOnTheThreadCount) {
  for (int i = 0; i < 20; ++i) {
    const float odd = i % 2 == 0 ? 0.0F : 1.0F;
    add("more" + std::to_string(i), {odd, 1, 0, i % 3 == 0 ? 1.0F : 0.0F}, testing::kGrey2x2);
  }
  const Accuracy one = evaluate_miou(run(1));
  const Accuracy four = evaluate_miou(run(4));
  EXPECT_EQ(one.images, 22);
  EXPECT_EQ(one.value, four.value);
  EXPECT_EQ(one.details, four.details);
}

TEST_F(EvaluateMiou, MakesNoMoreNetworksThanThreads) {
  LabelledRun counted = run(1);
  int made = 0;
  counted.make_predictor = [&made, make = counted.make_predictor] { return ++made, make(); };
  evaluate_miou(counted);
  EXPECT_EQ(made, 1);
}

TEST_F(EvaluateMiou, ReportsProgressAndStopsOnRequest) {
  std::vector<std::int64_t> done;
  StageControl control;
  control.on_progress = [&done](const Progress& progress) { done.push_back(progress.done); };
  evaluate_miou(run(), control);
  EXPECT_EQ(done.back(), 2);
  std::stop_source stop;
  stop.request_stop();
  control.stop = stop.get_token();
  try {
    evaluate_miou(run(), control);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInterrupted);
  }
}

TEST_F(EvaluateMiou, ErrorsNameThePicture) {
  add("c", {0, 0, 0, 0}, testing::kGrey2x3);
  try {
    evaluate_miou(run());
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    EXPECT_NE(std::string(error.what()).find("c.npy"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("c.png"), std::string::npos) << error.what();
  }
}

TEST_F(EvaluateMiou, NoLabelsAtAllAndSharedLabelsAreErrors) {
  LabelledRun nowhere = run();
  nowhere.labels = folder_ / "absent";
  EXPECT_THROW(evaluate_miou(nowhere), Error);
  nowhere.labels = folder_ / "images";
  EXPECT_THROW(evaluate_miou(nowhere), Error);
  fs::create_directories(folder_ / "images/deeper");
  fs::copy(folder_ / "images/a.npy", folder_ / "images/deeper/a.npy");
  EXPECT_THROW(evaluate_miou(run()), Error);
}

}  // namespace
}  // namespace cleave::evaluation
