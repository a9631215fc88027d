#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace cleave::exec {

/// The single boolean of a condition; `what` names it in the error. Throws Error(kInvalidInput) for anything else.
bool condition_of(const Tensor& tensor, const std::string& what);

/// Row-major slice `at` of an axis, the axis gone.
Tensor slice_at(const Tensor& tensor, std::size_t axis, std::int64_t at);

/// Tensors of one shape and type side by side along a new axis at `axis`. `like`: what one of them looks like where
/// there is none. Throws Error(kInvalidInput) naming `what` when their shapes differ.
Tensor stacked(const std::vector<Tensor>& slices, std::size_t axis, const Tensor& like, const std::string& what);

}  // namespace cleave::exec
