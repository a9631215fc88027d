#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "exec/kernels/kernel.h"

namespace cleave::exec {

/// Copies shape's elements between two strided places.
///
/// element_bytes   1, 2, 4 or 8.
void strided_copy(std::size_t element_bytes, std::span<const std::int64_t> shape, std::byte* target,
                  std::span<const std::int64_t> target_strides, const std::byte* source,
                  std::span<const std::int64_t> source_strides);

/// One index table per axis: output index -> input index, -1 for the fill value.
using AxisTables = std::vector<std::vector<std::int64_t>>;

/// out[i0, i1, ...] = in[t0[i0], t1[i1], ...], or `fill` (element_bytes long, may be null when no index is -1).
void copy_by_tables(std::size_t element_bytes, const InputView& in, const OutputView& out, const AxisTables& tables,
                    const std::byte* fill);

}  // namespace cleave::exec
