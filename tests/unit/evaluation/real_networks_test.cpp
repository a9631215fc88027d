#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/json.h"
#include "evaluation/map.h"
#include "evaluation/miou.h"
#include "exec/session.h"
#include "graph/model.h"
#include "graph/prepare.h"
#include "support/shared.h"

namespace cleave::evaluation {
namespace {

/// A network of the shared data over the first pictures of coco/test.
LabelledRun real_run(const std::string& network, const std::string& labels, const std::string& preprocess,
                     std::int64_t pictures) {
  const std::filesystem::path data = testing::shared_dir() / "data";
  const auto graph =
      std::make_shared<graph::Graph>(graph::prepare(graph::Model::load(data / "models" / (network + ".onnx"))));
  const auto make = [graph] {
    const auto session = std::make_shared<exec::Session>(*graph);
    return Predictor([session](const Tensor& input) { return session->run(std::span(&input, 1)); });
  };
  calibration::ImageSet images = calibration::ImageSet::open(data / "images/coco/test");
  images.limit(pictures);
  const Json block = Json::parse(preprocess);
  return {images,
          data / "images/coco" / labels,
          calibration::Preprocess::from_json(block, network),
          graph->tensor(graph->inputs().front()).shape,
          make,
          {},
          0};
}

// Expected: the same pictures through ONNX Runtime's float outputs.

TEST(RealNetworks, DeepLabSegmentsRealPictures) {
  CLEAVE_NEEDS_SHARED();
  const Accuracy accuracy = evaluate_miou(real_run("deeplabv3_mnv2_pascal", "voc_masks", R"({
      "schema": "cleave.preprocess/1", "resize": {"longer_px": 513},
      "pad": {"size_px": [513, 513], "value": 127.5}, "scale": 0.00784313725490196, "mean": [1], "std": [1]})",
                                                   6));
  EXPECT_EQ(accuracy.images, 6);
  EXPECT_NEAR(accuracy.value, 0.38255, 0.002);
  EXPECT_NEAR(accuracy.details.at("pixel_accuracy"), 0.820989, 0.002);
}

TEST(RealNetworks, YoloxFindsObjectsInRealPictures) {
  CLEAVE_NEEDS_SHARED();
  const Accuracy accuracy = evaluate_map(real_run("yolox_nano", "labels", R"({
      "schema": "cleave.preprocess/1", "color": "bgr", "resize": {"longer_px": 416},
      "pad": {"size_px": [416, 416], "value": 114}})",
                                                  16),
                                         find_decoder("yolox"));
  EXPECT_EQ(accuracy.images, 16);
  EXPECT_NEAR(accuracy.value, 0.409544, 0.002);
  EXPECT_NEAR(accuracy.details.at("map_50"), 0.606478, 0.002);
}

TEST(RealNetworks, NanodetFindsObjectsInRealPictures) {
  CLEAVE_NEEDS_SHARED();
  const Accuracy accuracy = evaluate_map(real_run("nanodet_m", "labels", R"({
      "schema": "cleave.preprocess/1", "color": "bgr", "resize": {"size_px": [416, 416]},
      "mean": [103.53, 116.28, 123.675], "std": [57.375, 57.12, 58.395]})",
                                                  16),
                                         find_decoder("nanodet"));
  EXPECT_EQ(accuracy.images, 16);
  EXPECT_NEAR(accuracy.value, 0.349405, 0.002);
  EXPECT_NEAR(accuracy.details.at("map_50"), 0.545888, 0.002);
}

}  // namespace
}  // namespace cleave::evaluation
