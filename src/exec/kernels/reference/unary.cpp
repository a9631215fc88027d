#include <cmath>
#include <limits>
#include <map>
#include <string_view>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"

namespace cleave::exec::reference {
namespace {

template <typename T, typename F>
void map_typed(const KernelCall& call, F f) {
  const T* x = call.in(0).as<T>();
  T* y = call.out().as<T>();
  const std::int64_t count = call.out().elements();
  constexpr std::int64_t kWorthSharing = 1 << 14;  // elements
#pragma omp parallel for if (count > kWorthSharing)
  for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<T>(f(x[i]));
}

template <typename F>
void map_number(const KernelCall& call, F f) {
  dispatch_number(call.in(0).dtype, [&](auto tag) { map_typed<typename decltype(tag)::type>(call, f); });
}

template <typename F>
void map_float(const KernelCall& call, F f) {
  dispatch<float, double>(call.in(0).dtype, [&](auto tag) { map_typed<typename decltype(tag)::type>(call, f); });
}

template <typename T>
T sigmoid(T x) {
  return T(1) / (T(1) + std::exp(-x));
}

/// The smallest integer stays what it is.
template <typename T>
T negated(T x) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(std::uint64_t{0} - static_cast<std::uint64_t>(x));
  } else {
    return -x;
  }
}

template <typename T>
T between_zero_and_one(T x) {
  return x < T(0) ? T(0) : (x > T(1) ? T(1) : x);
}

template <typename T>
T softplus(T x) {
  return x > T(0) ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

void leaky_relu(const KernelCall& call) {
  const float alpha = call.node.number("alpha", 0.01f);
  map_float(call, [alpha](auto x) { return x < 0 ? x * alpha : x; });
}

void elu(const KernelCall& call) {
  const float alpha = call.node.number("alpha", 1.0f);
  map_float(call, [alpha](auto x) { return x < 0 ? alpha * (std::exp(x) - 1) : x; });
}

void celu(const KernelCall& call) {
  const float alpha = call.node.number("alpha", 1.0f);
  map_float(call, [alpha](auto x) { return x < 0 ? alpha * (std::exp(x / alpha) - 1) : x; });
}

void selu(const KernelCall& call) {
  const float alpha = call.node.number("alpha", 1.67326319217681884765625f);
  const float gamma = call.node.number("gamma", 1.05070102214813232421875f);
  map_float(call, [=](auto x) { return gamma * (x <= 0 ? alpha * (std::exp(x) - 1) : x); });
}

void hard_sigmoid(const KernelCall& call) {
  const float alpha = call.node.number("alpha", 0.2f);
  const float beta = call.node.number("beta", 0.5f);
  map_float(call, [=](auto x) { return between_zero_and_one(x * alpha + beta); });
}

void shrink(const KernelCall& call) {
  const auto bias = static_cast<double>(call.node.number("bias", 0.0f));
  const auto lambd = static_cast<double>(call.node.number("lambd", 0.5f));
  map_number(call, [=](auto value) {
    const auto x = static_cast<double>(value);
    return x < -lambd ? x + bias : (x > lambd ? x - bias : 0.0);
  });
}

void thresholded_relu(const KernelCall& call) {
  const float alpha = call.node.number("alpha", 1.0f);
  map_float(call, [alpha](auto x) { return x > alpha ? x : decltype(x)(0); });
}

using Table = std::map<std::string_view, Kernel>;

void add_activations(Table& table) {
  table["Relu"] = [](const KernelCall& c) { map_number(c, [](auto x) { return x > 0 ? x : decltype(x)(0); }); };
  table["Sigmoid"] = [](const KernelCall& c) { map_float(c, [](auto x) { return sigmoid(x); }); };
  table["Tanh"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::tanh(x); }); };
  table["Softplus"] = [](const KernelCall& c) { map_float(c, [](auto x) { return softplus(x); }); };
  table["Softsign"] = [](const KernelCall& c) { map_float(c, [](auto x) { return x / (1 + std::abs(x)); }); };
  table["Mish"] = [](const KernelCall& c) { map_float(c, [](auto x) { return x * std::tanh(softplus(x)); }); };
  table["HardSwish"] = [](const KernelCall& c) {
    map_float(c, [](auto x) { return x * between_zero_and_one(x / 6 + decltype(x)(0.5)); });
  };
  table["LeakyRelu"] = leaky_relu;
  table["Elu"] = elu;
  table["Celu"] = celu;
  table["Selu"] = selu;
  table["HardSigmoid"] = hard_sigmoid;
  table["ThresholdedRelu"] = thresholded_relu;
  table["Shrink"] = shrink;
}

void add_functions(Table& table) {
  table["Exp"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::exp(x); }); };
  table["Log"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::log(x); }); };
  table["Sqrt"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::sqrt(x); }); };
  table["Erf"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::erf(x); }); };
  table["Sin"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::sin(x); }); };
  table["Cos"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::cos(x); }); };
  table["Tan"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::tan(x); }); };
  table["Asin"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::asin(x); }); };
  table["Acos"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::acos(x); }); };
  table["Atan"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::atan(x); }); };
  table["Sinh"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::sinh(x); }); };
  table["Cosh"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::cosh(x); }); };
  table["Asinh"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::asinh(x); }); };
  table["Acosh"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::acosh(x); }); };
  table["Atanh"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::atanh(x); }); };
  table["Reciprocal"] = [](const KernelCall& c) { map_float(c, [](auto x) { return 1 / x; }); };
  table["Ceil"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::ceil(x); }); };
  table["Floor"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::floor(x); }); };
  table["Round"] = [](const KernelCall& c) { map_float(c, [](auto x) { return std::nearbyint(x); }); };
  table["Abs"] = [](const KernelCall& c) { map_number(c, [](auto x) { return x < 0 ? negated(x) : x; }); };
  table["Neg"] = [](const KernelCall& c) { map_number(c, [](auto x) { return negated(x); }); };
  table["Sign"] = [](const KernelCall& c) { map_number(c, [](auto x) { return (x > 0) - (x < 0); }); };
  table["Not"] = [](const KernelCall& c) { map_typed<bool>(c, [](bool x) { return !x; }); };
}

const Table& functions() {
  static const Table table = [] {
    Table made;
    add_activations(made);
    add_functions(made);
    return made;
  }();
  return table;
}

}  // namespace

void unary(const KernelCall& call) {
  functions().at(call.node.op)(call);
}

void clip(const KernelCall& call) {
  dispatch_number(call.in(0).dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const bool has_low = call.in(1).present();
    const bool has_high = call.in(2).present();
    const T low = has_low ? *call.in(1).as<T>() : std::numeric_limits<T>::lowest();
    const T high = has_high ? *call.in(2).as<T>() : std::numeric_limits<T>::max();
    map_typed<T>(call, [=](T x) {
      const T raised = has_low && x < low ? low : x;
      return has_high && raised > high ? high : raised;
    });
  });
}

}  // namespace cleave::exec::reference
