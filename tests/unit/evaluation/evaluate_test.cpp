#include "evaluation/evaluate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>

#include "core/error.h"
#include "core/file.h"
#include "support/error_kind.h"
#include "support/temporary_folder.h"

namespace cleave::evaluation {
namespace {

using cleave::testing::kind_of;

namespace fs = std::filesystem;
using calibration::ImageSet;
using testing::TemporaryFolder;

/// Six samples of three scores each, as arrays: sample i's largest score is at i mod 3.
class Evaluate : public ::testing::Test {
 protected:
  Evaluate() {
    fs::create_directories(folder_ / "images");
    std::string labels;
    for (int i = 0; i < 6; ++i) {
      std::vector<float> scores = {0, 0, 0};
      scores[static_cast<std::size_t>(i % 3)] = 1;
      const std::string name = "images/" + std::to_string(i) + ".npy";
      write_file_atomically(folder_ / name, calibration::npy_bytes(Tensor::from<float>({1, 3}, scores)));
      labels += name + " " + std::to_string(i == 5 ? 0 : i % 3) + "\n";  // the last label is wrong
    }
    write_labels(labels);
  }

  void write_labels(const std::string& text) const { write_file_atomically(folder_ / "labels.txt", text); }
  std::map<fs::path, std::int64_t> labels() const { return read_labels(folder_ / "labels.txt"); }

  Accuracy evaluate(const std::function<Predictor()>& network, const std::function<Predictor()>& reference = {},
                    int threads = 1, const StageControl& control = {}) const {
    return evaluate_top1(ImageSet::open(folder_ / "images"), labels(), {}, {1, 3}, network, reference, threads,
                         control);
  }

  TemporaryFolder folder_;
};

/// Returns its input.
Predictor echo() {
  return [](const Tensor& input) { return std::vector<Tensor>{input}; };
}

/// Always the same scores.
Predictor constant(const std::vector<float>& scores) {
  return [scores](const Tensor&) {
    return std::vector<Tensor>{Tensor::from<float>({1, static_cast<std::int64_t>(scores.size())}, scores)};
  };
}

TEST_F(Evaluate, Top1IsTheShareOfCorrectLabels) {
  const Accuracy accuracy = evaluate(echo);
  EXPECT_EQ(accuracy.images, 6);
  EXPECT_DOUBLE_EQ(accuracy.value, 5.0 / 6);
  EXPECT_FALSE(accuracy.reference_value.has_value());
  EXPECT_FALSE(accuracy.agreement.has_value());
}

TEST_F(Evaluate, AgreementComparesWithTheReferenceNotWithTheLabels) {
  const Accuracy accuracy = evaluate(echo, [] { return constant({0, 0, 9}); });
  EXPECT_DOUBLE_EQ(accuracy.value, 5.0 / 6);
  EXPECT_DOUBLE_EQ(*accuracy.reference_value, 1.0 / 6);  // only sample 2 has label 2: sample 5's label is wrong
  EXPECT_DOUBLE_EQ(*accuracy.agreement, 2.0 / 6);
  EXPECT_DOUBLE_EQ(*accuracy.both_right, 1.0 / 6);
}

TEST_F(Evaluate, TheFirstOfEqualScoresWinsAndNanNever) {
  EXPECT_DOUBLE_EQ(evaluate([] { return constant({1, 1, 1}); }).value, 3.0 / 6);
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_DOUBLE_EQ(evaluate([] { return constant({kNan, -1, kNan}); }).value, 2.0 / 6);
}

TEST_F(Evaluate, ThreadsHaveTheirOwnPredictorsAndTheSameResult) {
  std::atomic<int> made{0};
  const Accuracy accuracy = evaluate(
      [&made] {
        ++made;
        return echo();
      },
      echo, 3);
  EXPECT_EQ(made, 3);
  EXPECT_DOUBLE_EQ(accuracy.value, 5.0 / 6);
  EXPECT_DOUBLE_EQ(*accuracy.agreement, 1.0);
}

TEST_F(Evaluate, ImagesWithoutALabelAreLeftOut) {
  write_labels("images/1.npy 1\nimages/5.npy 0\nimages/absent.npy 2\n");
  const Accuracy accuracy = evaluate(echo);
  EXPECT_EQ(accuracy.images, 2);
  EXPECT_DOUBLE_EQ(accuracy.value, 0.5);
}

TEST_F(Evaluate, ReachesTheSameFilesThroughALinkAndThroughDots) {
  fs::create_directory_symlink(folder_ / "images", folder_ / "link");
  const Accuracy accuracy = evaluate_top1(ImageSet::open(folder_ / "link/../link"), labels(), {}, {1, 3}, echo, {}, 1);
  EXPECT_EQ(accuracy.images, 6);
}

TEST_F(Evaluate, NoLabelledImageIsAnError) {
  write_labels("elsewhere/1.npy 1\n");
  EXPECT_EQ(kind_of([&] { evaluate(echo); }), ErrorKind::kInvalidInput);
}

TEST_F(Evaluate, ALabelBeyondTheClassesIsAnError) {
  write_labels("images/1.npy 3\n");
  EXPECT_EQ(kind_of([&] { evaluate(echo); }), ErrorKind::kInvalidInput);
}

TEST_F(Evaluate, OutputsThatAreNoScoresAreUnsupported) {
  const auto none = [] { return [](const Tensor&) { return std::vector<Tensor>(); }; };
  const auto whole = [] { return [](const Tensor&) { return std::vector<Tensor>{Tensor(DType::kInt64, {1, 3})}; }; };
  EXPECT_EQ(kind_of([&] { evaluate(none); }), ErrorKind::kUnsupported);
  EXPECT_EQ(kind_of([&] { evaluate(whole); }), ErrorKind::kUnsupported);
}

TEST_F(Evaluate, AnUnreadableImageIsAnErrorThatNamesIt) {
  write_file_atomically(folder_ / "images/2.npy", "nonsense");
  try {
    evaluate(echo, {}, 2);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("2.npy"), std::string::npos);
  }
}

TEST_F(Evaluate, AStopRequestInterruptsAndProgressCountsUp) {
  std::stop_source stop;
  std::vector<std::int64_t> done;
  StageControl control;
  control.stop = stop.get_token();
  control.on_progress = [&](const Progress& progress) {
    done.push_back(progress.done);
    if (progress.done == 3) stop.request_stop();
  };
  EXPECT_EQ(kind_of([&] { evaluate(echo, {}, 1, control); }), ErrorKind::kInterrupted);
  EXPECT_EQ(done, (std::vector<std::int64_t>{0, 1, 2, 3}));
}

TEST_F(Evaluate, LabelFilesAreRelativeToTheirFolder) {
  write_labels("# name label\n\nimages/a b.png\t7\r\nimages/../c.png 0\n");
  const std::map<fs::path, std::int64_t> found = labels();
  const fs::path root = fs::canonical(folder_.path());
  EXPECT_EQ(found, (std::map<fs::path, std::int64_t>{{root / "images/a b.png", 7}, {root / "c.png", 0}}));
}

TEST_F(Evaluate, BadLabelLinesAreNamedByNumber) {
  for (const char* line :
       {"images/1.npy", "images/1.npy x", "images/1.npy -1", " 5", "images/1.npy 1.5", "images/0.npy 1"}) {
    write_labels(std::string("images/0.npy 0\n") + line + "\n");
    try {
      labels();
      ADD_FAILURE() << line;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
      EXPECT_NE(std::string(error.what()).find("labels.txt:2: "), std::string::npos) << error.what();
    }
  }
  write_labels("\n# nothing\n");
  EXPECT_EQ(kind_of([&] { labels(); }), ErrorKind::kInvalidInput);
}

}  // namespace
}  // namespace cleave::evaluation
