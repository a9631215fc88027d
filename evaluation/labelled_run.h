#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "calibration/images.h"
#include "core/progress.h"
#include "core/tensor.h"
#include "evaluation/evaluate.h"
#include "evaluation/geometry.h"

namespace cleave::evaluation {

/// A network, perhaps a second one to compare with, and the pictures with a label file each that it is judged on.
struct LabelledRun {
  calibration::ImageSet images;
  std::filesystem::path labels;  ///< folder of STEM.<ending>, the stem being the picture's
  calibration::Preprocess preprocess;
  Shape input_shape;
  std::function<Predictor()> make_predictor;  ///< called once per picture in flight
  std::function<Predictor()> make_reference;  ///< may be empty
  int threads = 0;                            ///< pictures in flight; 0: all cores
};

struct LabelledImage {
  std::filesystem::path image;
  std::filesystem::path label;
};

/// The pictures that have a label, in the set's order; those without are left out.
/// ending  of the label files, ".png" or ".txt".
/// Throws Error(kIo) when there is no such folder, Error(kInvalidInput) when no picture has a label or two pictures
/// share one.
std::vector<LabelledImage> labelled_images(const LabelledRun& run, const std::string& ending);

/// What the networks said about one picture.
struct Observation {
  std::size_t index;  ///< in the list of pictures
  const LabelledImage& source;
  Geometry geometry;  ///< .npy samples are pictures of the input's own size
  std::vector<Tensor> outputs;
  std::vector<Tensor> reference;  ///< empty without a reference network
};

/// Runs the networks over the pictures. `judge` is called once per picture, from several threads and in any order: it
/// writes to the slot of the index, or adds whole numbers under a lock.
/// Throws what loading, running and judging throw, with the picture's name; Error(kInterrupted) on a stop request.
void observe_each(const LabelledRun& run, const std::vector<LabelledImage>& images,
                  const std::function<void(const Observation&)>& judge, const StageControl& control);

}  // namespace cleave::evaluation
