#include "evaluation/map.h"

#include "evaluation/average_precision.h"

namespace cleave::evaluation {

namespace {

AveragePrecision precision_of(const std::vector<std::vector<Detection>>& found,
                              const std::vector<std::vector<Detection>>& truth) {
  std::vector<DetectedImage> images;
  for (std::size_t i = 0; i < found.size(); ++i) images.push_back({found[i], truth[i]});
  return average_precision(images);
}

}  // namespace

Accuracy evaluate_map(const LabelledRun& run, const Decoder& decoder, const StageControl& control) {
  const std::vector<LabelledImage> images = labelled_images(run, ".txt");
  std::vector<std::vector<Detection>> truth(images.size()), found(images.size()), reference(images.size());
  const auto judge = [&](const Observation& seen) {
    truth[seen.index] = read_yolo_labels(seen.source.label, seen.geometry.original);
    found[seen.index] = detect(decoder, seen.outputs, seen.geometry);
    if (run.make_reference) reference[seen.index] = detect(decoder, seen.reference, seen.geometry);
  };
  observe_each(run, images, judge, control);
  const AveragePrecision precision = precision_of(found, truth);
  Accuracy accuracy;
  accuracy.images = static_cast<std::int64_t>(images.size());
  accuracy.value = precision.map_50_95;
  accuracy.details["map_50"] = precision.map_50;
  if (run.make_reference) {
    accuracy.reference_value = precision_of(reference, truth).map_50_95;
    accuracy.agreement = detection_agreement(found, reference);
  }
  return accuracy;
}

}  // namespace cleave::evaluation
