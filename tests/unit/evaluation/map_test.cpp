#include "evaluation/map.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"
#include "support/temporary_folder.h"

namespace cleave::evaluation {
namespace {

namespace fs = std::filesystem;

/// Detectors over inputs of 1 x 1 x 32 x 32 whose first number says what they see: YOLOX rows for one class, each a
/// box of 8 x 8 at the cell of stride 8.
std::vector<Tensor> see(const Tensor& input) {
  Tensor output(DType::kFloat32, {1, 21, 6});
  const int cells = static_cast<int>(input.data<float>()[0]);
  for (int cell = 0; cell < cells; ++cell) {
    const std::vector<float> row{0.5F, 0.5F, 0, 0, 1, 0.9F - 0.1F * static_cast<float>(cell)};
    std::copy(row.begin(), row.end(), output.mutable_data<float>().begin() + 6 * cell);
  }
  return {output};
}

class EvaluateMap : public ::testing::Test {
 protected:
  EvaluateMap() {
    fs::create_directories(folder_ / "images");
    fs::create_directories(folder_ / "labels");
    add("a", 2, "0 0.125 0.125 0.25 0.25\n");  // one of two detections is right
    add("b", 1, "0 0.125 0.125 0.25 0.25\n0 0.875 0.875 0.25 0.25\n");
    add("c", 0, "");
    add("d", 4, "0 0.125 0.125 0.25 0.25\n");
    fs::remove(folder_ / "labels/d.txt");
  }

  void add(const std::string& name, int cells, const std::string& label) const {
    Tensor input(DType::kFloat32, {1, 1, 32, 32});
    input.mutable_data<float>()[0] = static_cast<float>(cells);
    write_file_atomically(folder_ / "images" / (name + ".npy"), calibration::npy_bytes(input));
    write_file_atomically(folder_ / "labels" / (name + ".txt"), label);
  }

  LabelledRun run(int threads = 1) const {
    return {calibration::ImageSet::open(folder_ / "images"),
            folder_ / "labels",
            {},
            {1, 1, 32, 32},
            [] { return Predictor(see); },
            {},
            threads};
  }

  testing::TemporaryFolder folder_;
};

TEST_F(EvaluateMap, RanksTheDetectionsOfAllPicturesTogether) {
  // Best first: hit (a), hit (b), miss (a); three objects: precision 1 up to recall 2/3, the 67 levels 0.00 .. 0.66.
  const Accuracy accuracy = evaluate_map(run(), find_decoder("yolox"));
  EXPECT_EQ(accuracy.images, 3);  // d has no label file
  EXPECT_NEAR(accuracy.value, 67.0 / 101, 1e-12);
  EXPECT_NEAR(accuracy.details.at("map_50"), 67.0 / 101, 1e-12);
  EXPECT_FALSE(accuracy.reference_value.has_value());
}

TEST_F(EvaluateMap, AgreementComparesDetectionsNotLabels) {
  LabelledRun with_reference = run();
  with_reference.make_reference = [] {
    return Predictor([](const Tensor& input) {
      Tensor fewer = input.clone();
      fewer.mutable_data<float>()[0] = std::min(1.0F, input.data<float>()[0]);
      return see(fewer);
    });
  };
  const Accuracy accuracy = evaluate_map(with_reference, find_decoder("yolox"));
  EXPECT_NEAR(*accuracy.reference_value, 67.0 / 101, 1e-12);  // without the miss at the end
  EXPECT_NEAR(*accuracy.agreement, 2.0 * 2 / (3 + 2), 1e-12);
}

TEST_F(EvaluateMap, DoesNotDependOnTheThreadCount) {
  for (int i = 0; i < 20; ++i) add("more" + std::to_string(i), i % 4, "0 0.375 0.125 0.25 0.25\n");
  const Accuracy one = evaluate_map(run(1), find_decoder("yolox"));
  const Accuracy four = evaluate_map(run(4), find_decoder("yolox"));
  EXPECT_EQ(one.images, 23);
  EXPECT_EQ(one.value, four.value);
  EXPECT_EQ(one.details, four.details);
}

TEST_F(EvaluateMap, ADecoderThatDoesNotFitIsAnErrorThatNamesThePicture) {
  try {
    evaluate_map(run(), find_decoder("nanodet"));
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    EXPECT_NE(std::string(error.what()).find("a.npy"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace cleave::evaluation
