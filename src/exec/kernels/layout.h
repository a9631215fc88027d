#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "exec/kernels/dim_list.h"

namespace cleave::exec {

/// How a tensor's elements lie. kChannelsLast: [N][spatial...][C], what oneDNN likes best on every CPU measured.
enum class Layout { kPlain, kChannelsLast };

/// Elements from one index to the next, per logical dimension.
using Strides = std::vector<std::int64_t>;

Strides strides_of(const Shape& shape, Layout layout);

/// kPlain where both layouts put the elements in the same order (rank below 3, one channel, or one pixel).
Layout canonical(Layout layout, const Shape& shape);

/// Strides that read a tensor of `shape` as if it had shape `target` (0 along repeated dimensions), right-aligned.
DimList broadcast_strides(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides,
                          std::span<const std::int64_t> target);

/// 0 <= axis < rank for an ONNX axis that may count from the back.
std::size_t axis_index(std::int64_t axis, std::size_t rank);

}  // namespace cleave::exec
