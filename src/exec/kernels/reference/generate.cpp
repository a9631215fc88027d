#include <algorithm>
#include <cmath>
#include <cstring>
#include <variant>

#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"
#include "exec/kernels/value_checks.h"

namespace cleave::exec::reference {

void shape_of(const KernelCall& call) {
  const Shape& shape = call.in(0).shape;
  auto* y = call.out().as<std::int64_t>();
  if (call.node.op == "Size") {
    *y = element_count(shape);
    return;
  }
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::int64_t asked = call.node.integer("start", 0);
  const std::int64_t start = std::clamp<std::int64_t>(asked < 0 ? asked + rank : asked, 0, rank);
  for (std::int64_t i = 0; i < call.out().elements(); ++i) y[i] = shape[static_cast<std::size_t>(start + i)];
}

void constant(const KernelCall& call) {
  std::byte* y = call.out().data;
  const auto copy_bytes = [y](const void* from, std::size_t bytes) {
    if (bytes > 0) std::memcpy(y, from, bytes);
  };
  for (const auto& [key, value] : call.node.attributes) {
    if (const auto* tensor = std::get_if<Tensor>(&value)) copy_bytes(tensor->raw().data(), tensor->bytes());
    if (const auto* integer = std::get_if<std::int64_t>(&value)) copy_bytes(integer, sizeof *integer);
    if (const auto* number = std::get_if<float>(&value)) copy_bytes(number, sizeof *number);
    if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value)) {
      copy_bytes(list->data(), list->size() * sizeof(std::int64_t));
    }
    if (const auto* list = std::get_if<std::vector<float>>(&value)) {
      copy_bytes(list->data(), list->size() * sizeof(float));
    }
  }
}

void constant_of_shape(const KernelCall& call) {
  const std::size_t bytes = dtype_bytes(call.out().dtype);
  static constexpr std::byte kZero[8] = {};
  require_shape(call, checked_sizes(call, integers_of(call.in(0))));
  const std::byte* value = kZero;
  const auto found = call.node.attributes.find("value");
  if (found != call.node.attributes.end()) value = std::get<Tensor>(found->second).raw().data();
  for (std::int64_t i = 0; i < call.out().elements(); ++i) {
    std::memcpy(call.out().data + static_cast<std::size_t>(i) * bytes, value, bytes);
  }
}

void range(const KernelCall& call) {
  dispatch<float, double, std::int16_t, std::int32_t, std::int64_t>(call.out().dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T start = *call.in(0).as<T>();
    const T limit = *call.in(1).as<T>();
    const T delta = *call.in(2).as<T>();
    if (delta == 0) throw bad_value(call, "a step of 0 makes no range");
    const double steps =
        std::ceil((static_cast<double>(limit) - static_cast<double>(start)) / static_cast<double>(delta));
    require_shape(call, {steps > 0 && steps < 1e15 ? static_cast<std::int64_t>(steps) : 0});
    for (std::int64_t i = 0; i < call.out().elements(); ++i) {
      call.out().as<T>()[i] = static_cast<T>(start + static_cast<T>(i) * delta);
    }
  });
}

}  // namespace cleave::exec::reference
