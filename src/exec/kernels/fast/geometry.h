#pragma once

#include <cstdint>
#include <vector>

#include "exec/kernels/layout.h"
#include "exec/kernels/window.h"

namespace cleave::exec::fast {

/// What oneDNN calls memory::dims.
using Dims = std::vector<std::int64_t>;

/// The last `rank` entries, as oneDNN counts spatial dimensions.
inline Dims tail(const Window::Extent& extent, std::size_t rank) {
  return {extent.end() - static_cast<std::ptrdiff_t>(rank), extent.end()};
}

/// oneDNN's dilation: 0 where ONNX says 1.
inline Dims minus_one(Dims dims) {
  for (auto& d : dims) --d;
  return dims;
}

/// Filters as oneDNN wants to see them: [groups,] outputs, inputs, spatial; `strides` tell how ONNX has them.
struct Filters {
  Dims dims;
  Dims strides;
};

/// ONNX Conv: [OC, IC / g, spatial].
Filters conv_filters(const Shape& shape, std::int64_t groups);
/// ONNX ConvTranspose: [IC, OC / g, spatial].
Filters transposed_filters(const Shape& shape, std::int64_t groups);

}  // namespace cleave::exec::fast
