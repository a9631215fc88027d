#include "exec/kernels/walk.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace cleave::exec {
namespace {

template <std::size_t K>
bool merges(const WalkPlan<K>& plan, const Shape& shape, const std::array<Strides, K>& strides, std::size_t axis) {
  if (plan.dims.empty()) return false;
  for (std::size_t k = 0; k < K; ++k) {
    if (plan.strides[k].back() != strides[k][axis] * shape[axis]) return false;
  }
  return true;
}

}  // namespace

template <std::size_t K>
WalkPlan<K> plan_walk(const Shape& shape, const std::array<Strides, K>& strides) {
  std::vector<std::size_t> order(shape.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return strides[0][a] > strides[0][b]; });
  WalkPlan<K> plan;
  for (const std::size_t axis : order) {
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

template WalkPlan<1> plan_walk<1>(const Shape&, const std::array<Strides, 1>&);
template WalkPlan<2> plan_walk<2>(const Shape&, const std::array<Strides, 2>&);
template WalkPlan<3> plan_walk<3>(const Shape&, const std::array<Strides, 3>&);
template WalkPlan<4> plan_walk<4>(const Shape&, const std::array<Strides, 4>&);

}  // namespace cleave::exec
