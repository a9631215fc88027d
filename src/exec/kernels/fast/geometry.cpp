#include "exec/kernels/fast/geometry.h"

#include <utility>

namespace cleave::exec::fast {

Filters conv_filters(const Shape& shape, std::int64_t groups) {
  Filters f{shape, strides_of(shape, Layout::kPlain)};
  if (groups == 1) return f;
  f.dims[0] /= groups;
  f.dims.insert(f.dims.begin(), groups);
  f.strides.insert(f.strides.begin(), f.dims[1] * f.strides[0]);
  return f;
}

Filters transposed_filters(const Shape& shape, std::int64_t groups) {
  Filters f{shape, strides_of(shape, Layout::kPlain)};
  f.dims[0] /= groups;
  const std::int64_t group_stride = f.dims[0] * f.strides[0];
  std::swap(f.dims[0], f.dims[1]);
  std::swap(f.strides[0], f.strides[1]);
  if (groups == 1) return f;
  f.dims.insert(f.dims.begin(), groups);
  f.strides.insert(f.strides.begin(), group_stride);
  return f;
}

}  // namespace cleave::exec::fast
