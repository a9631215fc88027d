#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "calibration/images.h"
#include "core/progress.h"
#include "core/tensor.h"

namespace cleave::evaluation {

/// path -> class index, from lines "path<space>label"; paths relative to the file's folder, made absolute here.
/// Throws Error(kInvalidInput) with the line number.
std::map<std::filesystem::path, std::int64_t> read_labels(const std::filesystem::path& file);

/// Runs a network (or a bundle) on one input.
using Predictor = std::function<std::vector<Tensor>(const Tensor& input)>;

struct Accuracy {
  std::int64_t images = 0;
  double value = 0;                       ///< top-1, 0..1
  std::optional<double> reference_value;  ///< the reference network's own
  std::optional<double> agreement;        ///< share of images with the same argmax
};

/// Top-1 over the labelled images of the set. `make_predictor` is called once per thread.
Accuracy evaluate_top1(const calibration::ImageSet& images,
                       const std::map<std::filesystem::path, std::int64_t>& labels,
                       const calibration::Preprocess& preprocess, const Shape& input_shape,
                       const std::function<Predictor()>& make_predictor,
                       const std::function<Predictor()>& make_reference, int threads,
                       const StageControl& control = {});

}  // namespace cleave::evaluation
