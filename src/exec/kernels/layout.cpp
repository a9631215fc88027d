#include "exec/kernels/layout.h"

#include <algorithm>

#include "core/error.h"

namespace cleave::exec {

Strides strides_of(const Shape& shape, Layout layout) {
  Strides strides(shape.size(), 1);
  std::int64_t step = 1;
  const bool channels_last = canonical(layout, shape) == Layout::kChannelsLast;
  if (channels_last) step = shape[1];
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (channels_last && i == 1) continue;
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

Layout canonical(Layout layout, const Shape& shape) {
  if (layout == Layout::kPlain || shape.size() < 3 || shape[1] == 1) return Layout::kPlain;
  const bool one_pixel = std::all_of(shape.begin() + 2, shape.end(), [](std::int64_t d) { return d == 1; });
  return one_pixel ? Layout::kPlain : Layout::kChannelsLast;
}

DimList broadcast_strides(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides,
                          std::span<const std::int64_t> target) {
  DimList result(target.size());
  const std::size_t missing = target.size() - shape.size();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 1) result[missing + i] = strides[i];
  }
  return result;
}

std::size_t axis_index(std::int64_t axis, std::size_t rank) {
  const std::int64_t positive = axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis;
  if (positive < 0 || positive >= static_cast<std::int64_t>(rank)) {
    throw Error(ErrorKind::kInvalidInput,
                "axis " + std::to_string(axis) + " does not exist in a tensor of rank " + std::to_string(rank));
  }
  return static_cast<std::size_t>(positive);
}

}  // namespace cleave::exec
