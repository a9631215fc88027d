#pragma once

#include <cstdint>

#include "calibration/preprocess.h"

namespace cleave::evaluation {

struct ImageSize {
  std::int64_t height = 0, width = 0;
  bool operator==(const ImageSize&) const = default;
};

/// One axis of the way from the picture to the network's input, in continuous pixels: pixel i covers [i, i + 1).
struct AxisMap {
  double scale = 1;   ///< input pixels per original pixel
  double offset = 0;  ///< where the picture's edge 0 lies, in input pixels
  double to_input(double original) const { return original * scale + offset; }
  double to_original(double input) const { return (input - offset) / scale; }
};

/// Where preprocessing puts a picture.
struct Geometry {
  ImageSize original;
  ImageSize input;
  AxisMap y, x;
};

/// Resize, pad and centre crop as one map per axis:
///
///     scale = resized / original (per axis: both sides are whole pixels),  offset = pad border - crop border
///
/// original   size of the decoded picture; resize, pad must fit it, as load_pixels checks.
Geometry geometry_of(const calibration::Preprocess& preprocess, const ImageSize& original);

}  // namespace cleave::evaluation
