#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "exec/kernels/layout.h"

namespace cleave::exec {

template <std::size_t K>
using Offsets = std::array<std::int64_t, K>;

/// What is done with one innermost run: element j of tensor k stands at offsets[k] + j * steps[k], j < count.
template <std::size_t K>
using RowBody = std::function<void(const Offsets<K>& offsets, std::int64_t count, const Offsets<K>& steps)>;

/// Walks K tensors of one shape together and calls row for each innermost run; every element is visited once.
/// Dimensions are sorted by the first tensor's strides (largest outside), those of size 1 dropped and neighbours that
/// are contiguous in every tensor merged, so that runs are long. The walk itself is compiled once for each K, 1 to 4.
template <std::size_t K>
void walk_rows(const Shape& shape, const std::array<Strides, K>& strides, const RowBody<K>& row);

extern template void walk_rows<1>(const Shape&, const std::array<Strides, 1>&, const RowBody<1>&);
extern template void walk_rows<2>(const Shape&, const std::array<Strides, 2>&, const RowBody<2>&);
extern template void walk_rows<3>(const Shape&, const std::array<Strides, 3>&, const RowBody<3>&);
extern template void walk_rows<4>(const Shape&, const std::array<Strides, 4>&, const RowBody<4>&);

}  // namespace cleave::exec
