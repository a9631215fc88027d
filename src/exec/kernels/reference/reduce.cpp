#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>
#include <vector>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"
#include "exec/kernels/walk.h"

namespace cleave::exec::reference {
namespace {

/// Which axes go: from the second input (opset 18; ReduceSum from 13), else from the attribute, else all.
std::vector<bool> reduced_axes(const KernelCall& call) {
  const std::size_t rank = call.in(0).shape.size();
  std::vector<std::int64_t> axes = call.node.integers("axes");
  if (call.in(1).present()) axes = integers_of(call.in(1));
  if (axes.empty()) return std::vector<bool>(rank, call.node.integer("noop_with_empty_axes", 0) == 0);
  std::vector<bool> reduced(rank, false);
  for (const std::int64_t axis : axes) reduced[axis_index(axis, rank)] = true;
  return reduced;
}

/// Strides over a dense accumulator array that holds one slot per kept index.
Strides slot_strides(const Shape& shape, const std::vector<bool>& reduced) {
  Strides strides(shape.size(), 0);
  std::int64_t step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (reduced[i]) continue;
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

/// start, then step(acc, x) for each element, then finish(acc, count).
struct Fold {
  double start;
  double (*step)(double, double);
  double (*finish)(double, double);
};

double keep(double acc, double) {
  return acc;
}

const std::map<std::string_view, Fold>& folds() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static const std::map<std::string_view, Fold> table = {
      {"ReduceSum", {0, [](double a, double x) { return a + x; }, keep}},
      {"ReduceMean", {0, [](double a, double x) { return a + x; }, [](double a, double n) { return a / n; }}},
      {"ReduceMax", {-kInfinity, [](double a, double x) { return x > a ? x : a; }, keep}},
      {"ReduceMin", {kInfinity, [](double a, double x) { return x < a ? x : a; }, keep}},
      {"ReduceProd", {1, [](double a, double x) { return a * x; }, keep}},
      {"ReduceL1", {0, [](double a, double x) { return a + std::abs(x); }, keep}},
      {"ReduceL2", {0, [](double a, double x) { return a + x * x; }, [](double a, double) { return std::sqrt(a); }}},
      {"ReduceSumSquare", {0, [](double a, double x) { return a + x * x; }, keep}},
      {"ReduceLogSum", {0, [](double a, double x) { return a + x; }, [](double a, double) { return std::log(a); }}},
      {"ReduceLogSumExp",
       {0, [](double a, double x) { return a + std::exp(x); }, [](double a, double) { return std::log(a); }}},
  };
  return table;
}

/// Kept dimensions; the others as 1 or not at all.
Shape shape_after(const KernelCall& call, const std::vector<bool>& reduced) {
  const bool keeps = call.node.integer("keepdims", 1) != 0;
  Shape shape;
  for (std::size_t i = 0; i < reduced.size(); ++i) {
    if (!reduced[i]) shape.push_back(call.in(0).shape[i]);
    if (reduced[i] && keeps) shape.push_back(1);
  }
  return shape;
}

template <typename T>
void reduce_typed(const KernelCall& call, const Fold& fold) {
  const InputView& in = call.in(0);
  const std::vector<bool> reduced = reduced_axes(call);
  require_shape(call, shape_after(call, reduced));
  std::vector<double> slots(static_cast<std::size_t>(call.out().elements()), fold.start);
  const Strides to = slot_strides(in.shape, reduced);
  walk_rows<2>(in.shape, {in.strides, to}, [&](const Offsets<2>& at, std::int64_t count, const Offsets<2>& step) {
    double* slot = slots.data() + at[1];
    const T* x = in.as<T>() + at[0];
    for (std::int64_t i = 0; i < count; ++i) {
      slot[i * step[1]] = fold.step(slot[i * step[1]], static_cast<double>(x[i * step[0]]));
    }
  });
  const double merged = slots.empty() ? 0 : static_cast<double>(in.elements()) / static_cast<double>(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) call.out().as<T>()[i] = static_cast<T>(fold.finish(slots[i], merged));
}

template <typename T>
std::int64_t position_of_extreme(const T* x, std::int64_t count, std::int64_t step, bool largest, bool last) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < count; ++i) {
    const T value = x[i * step];
    const T current = x[best * step];
    const bool better = largest ? value > current : value < current;
    if (better || (last && value == current)) best = i;
  }
  return best;
}

}  // namespace

void reduce(const KernelCall& call) {
  const Fold& fold = folds().at(call.node.op);
  dispatch_number(call.in(0).dtype, [&](auto tag) { reduce_typed<typename decltype(tag)::type>(call, fold); });
}

void arg_reduce(const KernelCall& call) {
  const InputView& in = call.in(0);
  const std::size_t axis = axis_index(call.node.integer("axis", 0), in.shape.size());
  const bool largest = call.node.op == "ArgMax";
  const bool last = call.node.integer("select_last_index", 0) != 0;
  Shape kept = in.shape;
  kept[axis] = 1;
  dispatch_number(in.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    walk_rows<2>(kept, {strides_of(kept, Layout::kPlain), in.strides},
                 [&](const Offsets<2>& at, std::int64_t count, const Offsets<2>& step) {
                   for (std::int64_t i = 0; i < count; ++i) {
                     call.out().as<std::int64_t>()[at[0] + i * step[0]] = position_of_extreme(
                         in.as<T>() + at[1] + i * step[1], in.shape[axis], in.strides[axis], largest, last);
                   }
                 });
  });
}

}  // namespace cleave::exec::reference
