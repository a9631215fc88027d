#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include "exec/kernels/layout.h"
#include "exec/kernels/window.h"

namespace cleave::exec::fast {

/// The last `rank` entries, as oneDNN counts spatial dimensions.
inline dnnl::memory::dims tail(const Window::Extent& extent, std::size_t rank) {
  return {extent.end() - static_cast<std::ptrdiff_t>(rank), extent.end()};
}

/// oneDNN's dilation: 0 where ONNX says 1.
inline dnnl::memory::dims minus_one(dnnl::memory::dims dims) {
  for (auto& d : dims) --d;
  return dims;
}

/// Filters as oneDNN wants to see them: [groups,] outputs, inputs, spatial; `strides` tell how ONNX has them.
struct Filters {
  dnnl::memory::dims dims;
  dnnl::memory::dims strides;
};

/// ONNX Conv: [OC, IC / g, spatial].
Filters conv_filters(const Shape& shape, std::int64_t groups);
/// ONNX ConvTranspose: [IC, OC / g, spatial].
Filters transposed_filters(const Shape& shape, std::int64_t groups);

}  // namespace cleave::exec::fast
