#include "exec/kernels/walk.h"

#include <algorithm>

#include "exec/kernels/dim_list.h"

namespace cleave::exec {
namespace {

/// Dimensions and strides of K tensors that are walked together.
template <std::size_t K>
struct WalkPlan {
  DimList dims;  ///< outermost first
  std::array<DimList, K> strides;
};

template <std::size_t K>
bool merges(const WalkPlan<K>& plan, std::span<const std::int64_t> shape, const WalkStrides<K>& strides,
            std::size_t axis) {
  if (plan.dims.empty()) return false;
  for (std::size_t k = 0; k < K; ++k) {
    if (plan.strides[k].back() != strides[k][axis] * shape[axis]) return false;
  }
  return true;
}

template <std::size_t K>
WalkPlan<K> plan_walk(std::span<const std::int64_t> shape, const WalkStrides<K>& strides) {
  WalkPlan<K> plan;
  for (const std::int64_t next : outermost_first(strides[0])) {
    const auto axis = static_cast<std::size_t>(next);
    if (shape[axis] == 1) continue;
    if (merges(plan, shape, strides, axis)) {
      plan.dims.back() *= shape[axis];
      for (std::size_t k = 0; k < K; ++k) plan.strides[k].back() = strides[k][axis];
    } else {
      plan.dims.push_back(shape[axis]);
      for (std::size_t k = 0; k < K; ++k) plan.strides[k].push_back(strides[k][axis]);
    }
  }
  if (plan.dims.empty()) {
    plan.dims.push_back(1);
    for (std::size_t k = 0; k < K; ++k) plan.strides[k].push_back(1);
  }
  return plan;
}

}  // namespace

template <std::size_t K>
void walk_rows(std::span<const std::int64_t> shape, const WalkStrides<K>& strides, const RowBody<K>& row) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return;
  const WalkPlan<K> plan = plan_walk<K>(shape, strides);
  const std::size_t last = plan.dims.size() - 1;
  Offsets<K> steps;
  for (std::size_t k = 0; k < K; ++k) steps[k] = plan.strides[k][last];
  Offsets<K> offsets{};
  DimList counter(last);
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

template void walk_rows<1>(std::span<const std::int64_t>, const WalkStrides<1>&, const RowBody<1>&);
template void walk_rows<2>(std::span<const std::int64_t>, const WalkStrides<2>&, const RowBody<2>&);
template void walk_rows<3>(std::span<const std::int64_t>, const WalkStrides<3>&, const RowBody<3>&);
template void walk_rows<4>(std::span<const std::int64_t>, const WalkStrides<4>&, const RowBody<4>&);

}  // namespace cleave::exec
