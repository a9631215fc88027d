#include <map>
#include <string_view>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/walk.h"

namespace cleave::exec::reference {
namespace {

template <typename T, typename F>
void test_pairs(const KernelCall& call, F f) {
  const InputView& a = call.in(0);
  const InputView& b = call.in(1);
  const OutputView& out = call.out();
  const DimList a_strides = broadcast_strides(a.shape, a.strides, out.shape);
  const DimList b_strides = broadcast_strides(b.shape, b.strides, out.shape);
  const WalkStrides<3> strides = {out.strides, a_strides, b_strides};
  walk_rows<3>(out.shape, strides, [&](const Offsets<3>& at, std::int64_t count, const Offsets<3>& step) {
    for (std::int64_t i = 0; i < count; ++i) {
      out.as<bool>()[at[0] + i * step[0]] = f(a.as<T>()[at[1] + i * step[1]], b.as<T>()[at[2] + i * step[2]]);
    }
  });
}

template <typename F>
void compare_numbers(const KernelCall& call, F f) {
  dispatch_value(call.in(0).dtype, [&](auto tag) { test_pairs<typename decltype(tag)::type>(call, f); });
}

const std::map<std::string_view, Kernel>& functions() {
  static const std::map<std::string_view, Kernel> table = {
      {"Equal", [](const KernelCall& c) { compare_numbers(c, [](auto a, auto b) { return a == b; }); }},
      {"Less", [](const KernelCall& c) { compare_numbers(c, [](auto a, auto b) { return a < b; }); }},
      {"LessOrEqual", [](const KernelCall& c) { compare_numbers(c, [](auto a, auto b) { return a <= b; }); }},
      {"Greater", [](const KernelCall& c) { compare_numbers(c, [](auto a, auto b) { return a > b; }); }},
      {"GreaterOrEqual", [](const KernelCall& c) { compare_numbers(c, [](auto a, auto b) { return a >= b; }); }},
      {"And", [](const KernelCall& c) { test_pairs<bool>(c, [](bool a, bool b) { return a && b; }); }},
      {"Or", [](const KernelCall& c) { test_pairs<bool>(c, [](bool a, bool b) { return a || b; }); }},
      {"Xor", [](const KernelCall& c) { test_pairs<bool>(c, [](bool a, bool b) { return a != b; }); }},
  };
  return table;
}

template <typename T>
void select(const KernelCall& call) {
  const InputView& condition = call.in(0);
  const InputView& a = call.in(1);
  const InputView& b = call.in(2);
  const OutputView& out = call.out();
  const DimList condition_strides = broadcast_strides(condition.shape, condition.strides, out.shape);
  const DimList a_strides = broadcast_strides(a.shape, a.strides, out.shape);
  const DimList b_strides = broadcast_strides(b.shape, b.strides, out.shape);
  const WalkStrides<4> strides = {out.strides, condition_strides, a_strides, b_strides};
  walk_rows<4>(out.shape, strides, [&](const Offsets<4>& at, std::int64_t count, const Offsets<4>& step) {
    for (std::int64_t i = 0; i < count; ++i) {
      const bool first = condition.as<bool>()[at[1] + i * step[1]];
      out.as<T>()[at[0] + i * step[0]] = first ? a.as<T>()[at[2] + i * step[2]] : b.as<T>()[at[3] + i * step[3]];
    }
  });
}

}  // namespace

void compare(const KernelCall& call) {
  functions().at(call.node.op)(call);
}

void where(const KernelCall& call) {
  dispatch_bytes(dtype_bytes(call.out().dtype), [&](auto tag) { select<typename decltype(tag)::type>(call); });
}

}  // namespace cleave::exec::reference
