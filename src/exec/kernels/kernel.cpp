#include "exec/kernels/kernel.h"

#include "exec/kernels/dispatch.h"
#include "exec/kernels/half.h"
#include "exec/kernels/widen.h"

namespace cleave::exec {

const InputView& KernelCall::in(std::size_t i) const {
  static const InputView kAbsent;
  return i < inputs.size() ? inputs[i] : kAbsent;
}

InputView view_of(const Tensor& tensor) {
  return {tensor.dtype(), tensor.shape(), strides_of(tensor.shape(), Layout::kPlain), tensor.raw().data()};
}

std::vector<std::int64_t> integers_of(const InputView& view) {
  const DimList values = dims_of(view);
  return {values.begin(), values.end()};
}

DimList dims_of(const InputView& view) {
  DimList values;
  dispatch<std::int32_t, std::int64_t>(view.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t i = 0; i < view.elements(); ++i) values.push_back(view.as<T>()[i]);
  });
  return values;
}

double scalar_of(const InputView& view) {
  double value = 0;
  if (is_half(view.dtype)) {
    float wide = 0;
    widen({view.dtype, {}, {}, view.data}, &wide);
    return static_cast<double>(wide);
  }
  dispatch_value(view.dtype, [&](auto tag) { value = static_cast<double>(*view.as<typename decltype(tag)::type>()); });
  return value;
}

}  // namespace cleave::exec
