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
/// Blank lines and lines that begin with # are skipped; the path may hold blanks.
/// Throws Error(kInvalidInput) with the line number, also when one image gets two different labels.
std::map<std::filesystem::path, std::int64_t> read_labels(const std::filesystem::path& file);

/// Runs a network (or a bundle) on one input.
using Predictor = std::function<std::vector<Tensor>(const Tensor& input)>;

struct Accuracy {
  std::int64_t images = 0;
  double value = 0;                       ///< top-1, 0..1
  std::optional<double> reference_value;  ///< the reference network's own
  std::optional<double> agreement;        ///< share of images with the same argmax
  std::optional<double> both_right;       ///< top-1: share of images that both networks have right
  std::map<std::string, double> details;  ///< further figures of the metric by name, 0..1
};

/// Top-1 over the images of the set that have a label; the others are left out.
///
///     value = share of images whose largest score of the first output, the first of equals, is the label's
///
/// input_shape     the network input, batch 1.
/// make_predictor  called once per thread, one call after another; the results then run at the same time.
/// make_reference  likewise; may be empty: then the optional figures are missing.
/// threads         images in flight; 0: all cores. The result does not depend on it.
/// Throws Error(kInvalidInput) when no image has a label, an image cannot be read, or a label exceeds the outputs;
/// Error(kUnsupported) when the first output is not float32; Error(kInterrupted) on a stop request.
Accuracy evaluate_top1(const calibration::ImageSet& images, const std::map<std::filesystem::path, std::int64_t>& labels,
                       const calibration::Preprocess& preprocess, const Shape& input_shape,
                       const std::function<Predictor()>& make_predictor,
                       const std::function<Predictor()>& make_reference, int threads, const StageControl& control = {});

}  // namespace cleave::evaluation
