// Operators that calculate.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>

#include "graph/fold/call.h"

namespace cleave::graph::fold {

namespace {

Result one(Tensor tensor) {
  std::vector<Tensor> outputs;
  outputs.push_back(std::move(tensor));
  return outputs;
}

/// Calls body(T{}) for the type of numbers that arithmetic is folded for; empty for others.
template <typename Body>
Result for_number(DType dtype, Body body) {
  switch (dtype) {
    case DType::kFloat32:
      return body(float{});
    case DType::kFloat64:
      return body(double{});
    case DType::kInt32:
      return body(std::int32_t{});
    case DType::kInt64:
      return body(std::int64_t{});
    default:
      return std::nullopt;
  }
}

/// Integers wrap around, as they do in every runtime.
template <typename T, typename Operation>
T wrapping(T a, T b, Operation operation) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(operation(static_cast<U>(a), static_cast<U>(b)));
  } else {
    return operation(a, b);
  }
}

template <typename T>
T divide(const Call& call, T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0) call.fail("division by zero");
    if (b == -1) return wrapping(T{0}, a, [](auto x, auto y) { return x - y; });
  }
  return a / b;
}

template <typename T>
T calculate(const Call& call, std::string_view op, T a, T b) {
  if (op == "Add") return wrapping(a, b, [](auto x, auto y) { return x + y; });
  if (op == "Sub") return wrapping(a, b, [](auto x, auto y) { return x - y; });
  if (op == "Mul") return wrapping(a, b, [](auto x, auto y) { return x * y; });
  if (op == "Div") return divide(call, a, b);
  if (op == "Min") return std::min(a, b);
  if (op == "Max") return std::max(a, b);
  return static_cast<T>(std::pow(static_cast<double>(a), static_cast<double>(b)));
}

template <typename T>
T calculate(std::string_view op, T x) {
  if (op == "Neg") return wrapping(T{0}, x, [](auto a, auto b) { return a - b; });
  if (op == "Abs") return x < 0 ? wrapping(T{0}, x, [](auto a, auto b) { return a - b; }) : x;
  if constexpr (std::is_floating_point_v<T>) {
    if (op == "Sqrt") return std::sqrt(x);
    if (op == "Exp") return std::exp(x);
    if (op == "Log") return std::log(x);
    if (op == "Floor") return std::floor(x);
    if (op == "Ceil") return std::ceil(x);
    if (op == "Round") return std::nearbyint(x);
    if (op == "Reciprocal") return T{1} / x;
  }
  return x;
}

/// Two inputs of one type, stretched to their common shape.
struct Operands {
  Shape shape;
  Tensor a;
  Tensor b;
};

std::optional<Operands> operands(const Call& call, const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype()) return std::nullopt;
  const Shape shape = broadcast_shape(call, a.shape(), b.shape());
  if (!call.affordable(shape)) return std::nullopt;
  return Operands{shape, copy_view(a, stretched(call, whole(a.shape()), shape)),
                  copy_view(b, stretched(call, whole(b.shape()), shape))};
}

Result calculate_two(const Call& call, const Tensor& left, const Tensor& right) {
  const auto pair = operands(call, left, right);
  if (!pair) return std::nullopt;
  return for_number(left.dtype(), [&](auto zero) -> Result {
    using T = decltype(zero);
    if (call.node.op == "Pow" && std::is_integral_v<T>) return std::nullopt;
    Tensor result(left.dtype(), pair->shape);
    const auto a = pair->a.data<T>();
    const auto b = pair->b.data<T>();
    const auto target = result.mutable_data<T>();
    for (std::size_t i = 0; i < target.size(); ++i) target[i] = calculate<T>(call, call.node.op, a[i], b[i]);
    return one(result);
  });
}

std::vector<bool> booleans(const Tensor& tensor) {
  std::vector<bool> values;
  for (const std::byte byte : tensor.raw()) values.push_back(byte != std::byte{0});
  return values;
}

Tensor from_booleans(const Shape& shape, const std::vector<bool>& values) {
  Tensor result(DType::kBool, shape);
  const auto raw = result.mutable_raw();
  for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<std::byte>(values[i]);
  return result;
}

/// A number in every type that Cast is folded for; reads without assuming that a bool byte is 0 or 1.
std::optional<std::vector<double>> as_doubles(const Tensor& tensor) {
  std::vector<double> values;
  if (tensor.dtype() == DType::kBool || tensor.dtype() == DType::kUint8) {
    for (const std::byte byte : tensor.raw()) {
      const int value = std::to_integer<int>(byte);
      values.push_back(tensor.dtype() == DType::kBool ? value != 0 : value);
    }
    return values;
  }
  const Result done = for_number(tensor.dtype(), [&](auto zero) -> Result {
    for (const auto value : tensor.data<decltype(zero)>()) values.push_back(static_cast<double>(value));
    return std::vector<Tensor>{};
  });
  if (!done) return std::nullopt;
  return values;
}

/// True when truncation gives a value of T; other conversions differ between runtimes.
template <typename T>
bool representable(double value) {
  if constexpr (std::is_floating_point_v<T>) return true;
  // 2^63 is no int64, so the upper bound is exclusive.
  constexpr double kLow = static_cast<double>(std::numeric_limits<T>::min());
  const double high = std::ldexp(1.0, std::numeric_limits<T>::digits);
  return value > kLow - 1 && value < high;
}

template <typename T>
Result converted(DType dtype, const Shape& shape, const std::vector<double>& values) {
  Tensor result(dtype, shape);
  const auto target = result.mutable_data<T>();
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (!representable<T>(values[i])) return std::nullopt;
    target[i] = static_cast<T>(values[i]);
  }
  return one(result);
}

/// Exact within the integers, where doubles would round beyond 2^53.
Result cast_integers(const Tensor& data, DType to) {
  const auto values = integers_of(data);
  if (!values) return std::nullopt;
  if (to == DType::kInt64) return one(Tensor::from<std::int64_t>(data.shape(), *values));
  Tensor result(DType::kInt32, data.shape());
  const auto target = result.mutable_data<std::int32_t>();
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (!representable<std::int32_t>(static_cast<double>((*values)[i]))) return std::nullopt;
    target[i] = static_cast<std::int32_t>((*values)[i]);
  }
  return one(result);
}

template <typename T>
T reduced(std::string_view op, T so_far, T value) {
  if (op == "ReduceProd") return wrapping(so_far, value, [](auto x, auto y) { return x * y; });
  if (op == "ReduceMax") return std::max(so_far, value);
  if (op == "ReduceMin") return std::min(so_far, value);
  return wrapping(so_far, value, [](auto x, auto y) { return x + y; });
}

}  // namespace

Result unary(const Call& call) {
  const Tensor& data = call.need(0);
  return for_number(data.dtype(), [&](auto zero) -> Result {
    using T = decltype(zero);
    const bool any_type = call.node.op == "Neg" || call.node.op == "Abs";
    if (std::is_integral_v<T> && !any_type) return std::nullopt;
    Tensor result(data.dtype(), data.shape());
    const auto source = data.data<T>();
    const auto target = result.mutable_data<T>();
    for (std::size_t i = 0; i < target.size(); ++i) target[i] = calculate<T>(call.node.op, source[i]);
    return one(result);
  });
}

Result binary(const Call& call) {
  if (call.in.size() == 1 && (call.node.op == "Min" || call.node.op == "Max")) return identity(call);
  Result result = calculate_two(call, call.need(0), call.need(1));
  for (std::size_t i = 2; result && i < call.in.size(); ++i)
    result = calculate_two(call, result->front(), call.need(i));
  return result;
}

Result compare(const Call& call) {
  const auto pair = operands(call, call.need(0), call.need(1));
  if (!pair) return std::nullopt;
  if (pair->a.dtype() == DType::kBool) return logic(call);
  return for_number(pair->a.dtype(), [&](auto zero) -> Result {
    using T = decltype(zero);
    const auto a = pair->a.data<T>();
    const auto b = pair->b.data<T>();
    std::vector<bool> values;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const bool equal = !(a[i] < b[i]) && !(b[i] < a[i]);
      values.push_back(call.node.op == "Equal" ? equal : call.node.op == "Less" ? a[i] < b[i] : b[i] < a[i]);
    }
    return one(from_booleans(pair->shape, values));
  });
}

Result logic(const Call& call) {
  if (call.need(0).dtype() != DType::kBool) return std::nullopt;
  if (call.node.op == "Not") {
    std::vector<bool> values = booleans(call.need(0));
    values.flip();
    return one(from_booleans(call.need(0).shape(), values));
  }
  const auto pair = operands(call, call.need(0), call.need(1));
  if (!pair) return std::nullopt;
  const std::vector<bool> a = booleans(pair->a);
  const std::vector<bool> b = booleans(pair->b);
  std::vector<bool> values;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::string& op = call.node.op;
    values.push_back(op == "And" ? (a[i] && b[i]) : op == "Or" ? (a[i] || b[i]) : a[i] == b[i]);
  }
  return one(from_booleans(pair->shape, values));
}

Result where(const Call& call) {
  const Tensor& condition = call.need(0);
  const Tensor& yes = call.need(1);
  const Tensor& no = call.need(2);
  if (condition.dtype() != DType::kBool || yes.dtype() != no.dtype()) return std::nullopt;
  const Shape shape = broadcast_shape(call, condition.shape(), broadcast_shape(call, yes.shape(), no.shape()));
  if (!call.affordable(shape)) return std::nullopt;
  const std::vector<bool> chosen = booleans(copy_view(condition, stretched(call, whole(condition.shape()), shape)));
  Tensor result = copy_view(yes, stretched(call, whole(yes.shape()), shape));
  const Tensor other = copy_view(no, stretched(call, whole(no.shape()), shape));
  const std::size_t width = dtype_bytes(yes.dtype());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (!chosen[i]) std::memcpy(result.mutable_raw().data() + i * width, other.raw().data() + i * width, width);
  }
  return one(result);
}

Result cast(const Call& call) {
  const Tensor& data = call.need(0);
  const auto to = static_cast<DType>(call.node.integer("to", 0));
  if (to == data.dtype()) return one(data);
  const bool integers = data.dtype() == DType::kInt32 || data.dtype() == DType::kInt64;
  if (integers && (to == DType::kInt32 || to == DType::kInt64)) return cast_integers(data, to);
  const auto values = as_doubles(data);
  if (!values) return std::nullopt;
  if (to == DType::kBool) {
    std::vector<bool> flags;
    for (const double value : *values) flags.push_back(value != 0);
    return one(from_booleans(data.shape(), flags));
  }
  return for_number(to, [&](auto zero) { return converted<decltype(zero)>(to, data.shape(), *values); });
}

Result reduce(const Call& call) {
  const Tensor& data = call.need(0);
  const std::size_t rank = data.shape().size();
  auto axes = call.list(1, "axes").value_or(std::vector<std::int64_t>{});
  const bool keep = call.node.integer("keepdims", 1) != 0;
  if (axes.empty() && call.node.integer("noop_with_empty_axes", 0) != 0) return one(data);
  std::vector<bool> gone(rank, axes.empty());
  for (const std::int64_t axis : axes) gone[call.axis(axis, rank)] = true;
  // The reduced axes last, so that each result is one dense run.
  const View view = whole(data.shape());
  View sorted{{}, 0, {}};
  Shape shape;
  std::size_t run = 1;
  for (const bool reduced_axis : {false, true}) {
    for (std::size_t i = 0; i < rank; ++i) {
      if (gone[i] != reduced_axis) continue;
      sorted.shape.push_back(view.shape[i]);
      sorted.strides.push_back(view.strides[i]);
      if (reduced_axis) run *= static_cast<std::size_t>(view.shape[i]);
    }
  }
  for (std::size_t i = 0; i < rank; ++i) {
    if (!gone[i] || keep) shape.push_back(gone[i] ? 1 : view.shape[i]);
  }
  if (run == 0) return std::nullopt;
  const Tensor dense = copy_view(data, sorted);
  return for_number(data.dtype(), [&](auto zero) -> Result {
    using T = decltype(zero);
    Tensor result(data.dtype(), shape);
    const auto source = dense.data<T>();
    const auto target = result.mutable_data<T>();
    for (std::size_t i = 0; i < target.size(); ++i) {
      T value = source[i * run];
      for (std::size_t j = 1; j < run; ++j) value = reduced<T>(call.node.op, value, source[i * run + j]);
      target[i] = value;
    }
    return one(result);
  });
}

}  // namespace cleave::graph::fold
