#include "evaluation/measure_sensitivity.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "calibration/calibrate.h"
#include "core/file.h"
#include "graph/builder.h"
#include "support/error_kind.h"
#include "support/temporary_folder.h"

namespace cleave::evaluation {
namespace {

using cleave::testing::kind_of;
using cleave::testing::TemporaryFolder;

namespace fs = std::filesystem;

Tensor random(const Shape& shape, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> value;
  Tensor tensor(DType::kFloat32, shape);
  for (float& x : tensor.mutable_data<float>()) x = value(engine);
  return tensor;
}

/// x 1x2x5x5 -> Conv 3x3 (4) -> Relu -> Conv 5x5 -> y 1x3x1x1.
graph::Graph network(unsigned seed = 1) {
  graph::GraphBuilder b;
  const auto x = b.input("x", DType::kFloat32, {1, 2, 5, 5});
  const auto w = b.constant("w", random({4, 2, 3, 3}, seed));
  const auto c = b.node("Conv", {x, w}, {"c"}, {{"pads", std::vector<std::int64_t>(4, 1)}}, "first")[0];
  const auto r = b.node("Relu", {c}, {"r"})[0];
  const auto y = b.node("Conv", {r, b.constant("v", random({3, 4, 5, 5}, seed + 1))}, {"y"}, {}, "second")[0];
  for (const auto id : {c, r}) b.set_shape(id, DType::kFloat32, {1, 4, 5, 5});
  b.set_shape(y, DType::kFloat32, {1, 3, 1, 1});
  b.output(y);
  return b.build();
}

/// 40 samples in two folders, and their calibration.
class MeasureSensitivity : public ::testing::Test {
 protected:
  MeasureSensitivity() {
    fs::create_directories(folder_ / "images/a");
    fs::create_directories(folder_ / "images/b");
    for (unsigned i = 0; i < 40; ++i) {
      const std::string name = std::string("images/") + (i % 3 == 0 ? "a/" : "b/") + std::to_string(i) + ".npy";
      write_file_atomically(folder_ / name, calibration::npy_bytes(random({1, 2, 5, 5}, 100 + i)));
    }
    calibration::CalibrateOptions options;
    options.threads = 1;
    table_ = calibration::calibrate(graph_, "model", images(), options);
    run_.options.weight_bits = {2, 5};
    run_.options.activation_bits = {3};
    run_.options.threads = 1;
  }

  calibration::ImageSet images() const { return calibration::ImageSet::open(folder_ / "images"); }
  tune::SensitivityTable measure(const SensitivityRun& run) const {
    return measure_sensitivity(graph_, table_, images(), run);
  }
  static std::string text(const tune::SensitivityTable& table) { return to_text(table.to_json()); }

  TemporaryFolder folder_;
  graph::Graph graph_ = network();
  quant::CalibrationTable table_;
  SensitivityRun run_;
};

TEST_F(MeasureSensitivity, ShardsMergeToTheBytesOfOneRunForAnyThreadCount) {
  const std::string whole = text(measure(run_));
  SensitivityRun run = run_;
  run.shard_count = 3;
  std::vector<tune::SensitivityTable> parts;
  for (run.shard_index = 0; run.shard_index < 3; ++run.shard_index) {
    run.options.threads = 1 + static_cast<int>(run.shard_index);
    parts.push_back(measure(run));
    EXPECT_FALSE(parts.back().complete());
  }
  EXPECT_EQ(text(tune::merge(tune::merge(parts[2], parts[0]), parts[1])), whole);
}

TEST_F(MeasureSensitivity, SamplesAreSpreadOverTheSet) {
  run_.samples = 4;
  const auto all = images();
  const tune::SensitivityTable table = measure(run_);
  ASSERT_EQ(table.images.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {  // one out of each tenth in a row
    EXPECT_GE(table.images[i].path, all.paths()[10 * i]);
    EXPECT_LE(table.images[i].path, all.paths()[10 * i + 9]);
  }
  run_.samples = 41;
  EXPECT_EQ(measure(run_).images.size(), 40U);
}

TEST_F(MeasureSensitivity, AnInterruptedRunThatIsResumedGivesTheSameBytes) {
  const std::string whole = text(measure(run_));
  run_.checkpoint = folder_ / "partial.json";
  std::stop_source stop;
  StageControl control;
  control.stop = stop.get_token();
  run_.enough = [&stop] { return stop.request_stop(), false; };
  EXPECT_EQ(kind_of([&] { measure_sensitivity(graph_, table_, images(), run_, control); }), ErrorKind::kInterrupted);
  run_.enough = {};
  run_.resume = true;
  EXPECT_EQ(text(measure(run_)), whole);
  run_.options.weight_bits = {2, 4};
  EXPECT_EQ(kind_of([&] { measure(run_); }), ErrorKind::kStale);
}

TEST_F(MeasureSensitivity, StopsWhenItIsEnough) {
  run_.enough = [] { return true; };
  const tune::SensitivityTable table = measure(run_);
  EXPECT_EQ(table.images.size(), tune::kSensitivityChunk);
  EXPECT_TRUE(table.complete());
  EXPECT_GT(table.damage(table.weights[0]), table.damage(table.weights[1]));
}

TEST_F(MeasureSensitivity, NamesTheImageThatCannotBeRead) {
  write_file_atomically(folder_ / "images/a/broken.npy", "no array");
  EXPECT_EQ(kind_of([&] { measure(run_); }), ErrorKind::kInvalidInput);
}

}  // namespace
}  // namespace cleave::evaluation
