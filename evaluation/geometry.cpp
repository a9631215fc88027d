#include "evaluation/geometry.h"

#include <optional>

namespace cleave::evaluation {

namespace {

using calibration::Preprocess;

ImageSize resized(const ImageSize& original, const Preprocess::Resize& resize) {
  const auto size = calibration::resized_size(original.height, original.width, resize);
  return {size[0], size[1]};
}

struct Axis {
  std::int64_t original, resized, size, offset = 0;

  void pad(std::int64_t target, bool center) {
    if (center) offset += (target - size) / 2;
    size = target;
  }
  void crop(std::int64_t target) {
    offset -= (size - target) / 2;
    size = target;
  }
  AxisMap map() const {
    return {static_cast<double>(resized) / static_cast<double>(original), static_cast<double>(offset)};
  }
};

}  // namespace

Geometry geometry_of(const Preprocess& preprocess, const ImageSize& original) {
  const ImageSize size = preprocess.resize ? resized(original, *preprocess.resize) : original;
  Axis y{original.height, size.height, size.height};
  Axis x{original.width, size.width, size.width};
  if (preprocess.pad) {
    y.pad(preprocess.pad->size_px[0], preprocess.pad->center);
    x.pad(preprocess.pad->size_px[1], preprocess.pad->center);
  }
  if (preprocess.center_crop_px) {
    y.crop((*preprocess.center_crop_px)[0]);
    x.crop((*preprocess.center_crop_px)[1]);
  }
  return {original, {y.size, x.size}, y.map(), x.map()};
}

}  // namespace cleave::evaluation
