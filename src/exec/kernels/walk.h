#pragma once

#include <array>
#include <cstdint>

#include "exec/kernels/layout.h"

namespace cleave::exec {

/// Dimensions and strides of K tensors that are walked together.
template <std::size_t K>
struct WalkPlan {
  Shape dims;  ///< outermost first
  std::array<Strides, K> strides;
};

/// Sorts dimensions by the first tensor's strides (largest outside), drops those of size 1 and merges neighbours that
/// are contiguous in every tensor, so that the inner loop is long.
template <std::size_t K>
WalkPlan<K> plan_walk(const Shape& shape, const std::array<Strides, K>& strides);

extern template WalkPlan<1> plan_walk<1>(const Shape&, const std::array<Strides, 1>&);
extern template WalkPlan<2> plan_walk<2>(const Shape&, const std::array<Strides, 2>&);
extern template WalkPlan<3> plan_walk<3>(const Shape&, const std::array<Strides, 3>&);
extern template WalkPlan<4> plan_walk<4>(const Shape&, const std::array<Strides, 4>&);

template <std::size_t K>
using Offsets = std::array<std::int64_t, K>;

/// Calls row(offsets, count, steps) for each innermost run: element j of tensor k in that run stands at
/// offsets[k] + j * steps[k]. Every element of `shape` is visited once.
template <std::size_t K, typename Row>
void walk_rows(const Shape& shape, const std::array<Strides, K>& strides, Row&& row) {
  for (const std::int64_t dim : shape) {
    if (dim == 0) return;
  }
  const WalkPlan<K> plan = plan_walk<K>(shape, strides);
  const std::size_t last = plan.dims.size() - 1;
  Offsets<K> steps;
  for (std::size_t k = 0; k < K; ++k) steps[k] = plan.strides[k][last];
  Offsets<K> offsets{};
  Shape counter(last, 0);
  for (;;) {
    row(offsets, plan.dims[last], steps);
    std::size_t d = last;
    for (; d > 0; --d) {
      const std::size_t i = d - 1;
      for (std::size_t k = 0; k < K; ++k) offsets[k] += plan.strides[k][i];
      if (++counter[i] < plan.dims[i]) break;
      for (std::size_t k = 0; k < K; ++k) offsets[k] -= plan.strides[k][i] * plan.dims[i];
      counter[i] = 0;
    }
    if (d == 0) return;
  }
}

}  // namespace cleave::exec
