#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/walk.h"

namespace cleave::exec::reference {
namespace {

template <typename T, typename F>
void apply_row(T* out, const T* a, const T* b, std::int64_t count, const Offsets<3>& step, F f) {
  if (step[0] == 1 && step[1] == 1 && step[2] == 1) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = f(a[i], b[i]);
  } else if (step[0] == 1 && step[1] == 1 && step[2] == 0) {
    const T right = *b;
    for (std::int64_t i = 0; i < count; ++i) out[i] = f(a[i], right);
  } else {
    for (std::int64_t i = 0; i < count; ++i) out[i * step[0]] = f(a[i * step[1]], b[i * step[2]]);
  }
}

template <typename T, typename F>
void zip(const OutputView& out, const InputView& a, const InputView& b, F f) {
  const DimList a_strides = broadcast_strides(a.shape, a.strides, out.shape);
  const DimList b_strides = broadcast_strides(b.shape, b.strides, out.shape);
  const WalkStrides<3> strides = {out.strides, a_strides, b_strides};
  walk_rows<3>(out.shape, strides, [&](const Offsets<3>& at, std::int64_t count, const Offsets<3>& step) {
    apply_row<T>(out.as<T>() + at[0], a.as<T>() + at[1], b.as<T>() + at[2], count, step, f);
  });
}

InputView as_input(const OutputView& out) {
  return {out.dtype, out.shape, out.strides, out.data};
}

/// f over all inputs from the left; ONNX's variadic operators take one input as well.
template <typename T, typename F>
void fold_inputs(const KernelCall& call, F f) {
  const OutputView& out = call.out();
  if (call.inputs.size() == 1) return zip<T>(out, call.in(0), call.in(0), [](T x, T) { return x; });
  zip<T>(out, call.in(0), call.in(1), f);
  for (std::size_t i = 2; i < call.inputs.size(); ++i) zip<T>(out, as_input(out), call.in(i), f);
}

template <typename F>
void number_op(const KernelCall& call, F f) {
  dispatch_number(call.in(0).dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    fold_inputs<T>(call, [f](T a, T b) { return static_cast<T>(f(a, b)); });
  });
}

template <typename T>
T divide(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return static_cast<T>(-static_cast<std::make_unsigned_t<T>>(a));
    }
  }
  return static_cast<T>(a / b);
}

template <typename T>
T truncated_modulo(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::fmod(a, b);
  } else {
    if (b == 0 || (std::is_signed_v<T> && b == static_cast<T>(-1))) return 0;
    return static_cast<T>(a % b);
  }
}

/// fmod 0: the result takes the divisor's sign.
template <typename T>
T floored_modulo(T a, T b) {
  const T rest = truncated_modulo(a, b);
  return rest != 0 && ((rest < 0) != (b < 0)) ? static_cast<T>(rest + b) : rest;
}

void modulo(const KernelCall& call) {
  if (call.node.integer("fmod", 0) != 0) {
    number_op(call, [](auto a, auto b) { return truncated_modulo(a, b); });
  } else {
    number_op(call, [](auto a, auto b) { return floored_modulo(a, b); });
  }
}

/// Integer arithmetic wraps around, as ONNX Runtime's does; unsigned in between so that this is defined.
template <typename F>
void wrapping_op(const KernelCall& call, F f) {
  number_op(call, [f](auto a, auto b) {
    using T = decltype(a);
    if constexpr (std::is_integral_v<T>) {
      return f(static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b));
    } else {
      return f(a, b);
    }
  });
}

/// The element at an offset, as double.
using ReadNumber = double (*)(const InputView& view, std::int64_t offset);

ReadNumber number_reader(DType dtype) {
  ReadNumber reader = nullptr;
  dispatch_number(dtype, [&reader](auto tag) {
    using T = typename decltype(tag)::type;
    reader = [](const InputView& view, std::int64_t offset) { return static_cast<double>(view.as<T>()[offset]); };
  });
  return reader;
}

/// Base and exponent may differ in type; the result has the base's.
void power(const KernelCall& call) {
  const OutputView& out = call.out();
  const InputView& a = call.in(0);
  const InputView& b = call.in(1);
  const ReadNumber exponent = number_reader(b.dtype);
  const DimList a_strides = broadcast_strides(a.shape, a.strides, out.shape);
  const DimList b_strides = broadcast_strides(b.shape, b.strides, out.shape);
  const WalkStrides<3> strides = {out.strides, a_strides, b_strides};
  dispatch_number(a.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    walk_rows<3>(out.shape, strides, [&](const Offsets<3>& at, std::int64_t count, const Offsets<3>& step) {
      for (std::int64_t i = 0; i < count; ++i) {
        const auto base = static_cast<double>(a.as<T>()[at[1] + i * step[1]]);
        out.as<T>()[at[0] + i * step[0]] = static_cast<T>(std::pow(base, exponent(b, at[2] + i * step[2])));
      }
    });
  });
}

/// Bits that leave the type on either side are lost; a distance beyond the width leaves 0.
template <typename T>
T shifted(T value, T distance, bool left) {
  if (distance >= std::numeric_limits<T>::digits) return 0;
  return static_cast<T>(left ? value << distance : value >> distance);
}

void bit_shift(const KernelCall& call) {
  const bool left = call.node.text("direction", "LEFT") == "LEFT";
  dispatch<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>(call.in(0).dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    zip<T>(call.out(), call.in(0), call.in(1), [left](T a, T b) { return shifted(a, b, left); });
  });
}

void mean(const KernelCall& call) {
  dispatch<float, double>(call.in(0).dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto count = static_cast<T>(call.inputs.size());
    fold_inputs<T>(call, [](T a, T b) { return a + b; });
    zip<T>(call.out(), as_input(call.out()), as_input(call.out()), [count](T a, T) { return a / count; });
  });
}

void sum(const KernelCall& call) {
  wrapping_op(call, [](auto a, auto b) { return a + b; });
}

const std::map<std::string_view, Kernel>& functions() {
  static const std::map<std::string_view, Kernel> table = {
      {"Add", sum},
      {"Sum", sum},
      {"Sub", [](const KernelCall& c) { wrapping_op(c, [](auto a, auto b) { return a - b; }); }},
      {"Mul", [](const KernelCall& c) { wrapping_op(c, [](auto a, auto b) { return a * b; }); }},
      {"Div", [](const KernelCall& c) { number_op(c, [](auto a, auto b) { return divide(a, b); }); }},
      {"Min", [](const KernelCall& c) { number_op(c, [](auto a, auto b) { return std::min(a, b); }); }},
      {"Max", [](const KernelCall& c) { number_op(c, [](auto a, auto b) { return std::max(a, b); }); }},
      {"Mod", modulo},
      {"Pow", power},
      {"Mean", mean},
      {"BitShift", bit_shift},
  };
  return table;
}

}  // namespace

void binary(const KernelCall& call) {
  functions().at(call.node.op)(call);
}

void prelu(const KernelCall& call) {
  dispatch_number(call.in(0).dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    zip<T>(call.out(), call.in(0), call.in(1), [](T x, T slope) { return static_cast<T>(x < 0 ? x * slope : x); });
  });
}

}  // namespace cleave::exec::reference
