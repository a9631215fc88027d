#pragma once

#include "core/tensor.h"

namespace cleave::exec {

/// Leaves a tensor that can be written over as it is; replaces one of another type or shape, or whose bytes somebody
/// else holds.
inline void fit_tensor(Tensor& tensor, DType dtype, const Shape& shape) {
  if (tensor.dtype() == dtype && tensor.shape() == shape && tensor.is_unshared()) return;
  tensor = Tensor(dtype, shape);
}

}  // namespace cleave::exec
