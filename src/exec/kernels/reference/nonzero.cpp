#include "exec/kernels/dispatch.h"
#include "exec/kernels/reference/kernels.h"

namespace cleave::exec::reference {
namespace {

/// Half and bfloat16 numbers are zero when all bits but the sign are.
template <typename T>
bool is_zero(DType dtype, T value) {
  const bool half = dtype == DType::kFloat16 || dtype == DType::kBfloat16;
  return half ? (static_cast<std::uint16_t>(value) & 0x7fffU) == 0 : value == T(0);
}

template <typename T>
std::vector<std::int64_t> offsets_of_nonzeros(const InputView& in) {
  std::vector<std::int64_t> offsets;
  for (std::int64_t i = 0; i < in.elements(); ++i) {
    if (!is_zero(in.dtype, in.as<T>()[i])) offsets.push_back(i);
  }
  return offsets;
}

std::vector<std::int64_t> nonzero_offsets(const InputView& in) {
  const bool half = in.dtype == DType::kFloat16 || in.dtype == DType::kBfloat16;
  std::vector<std::int64_t> offsets;
  dispatch<float, double, std::int32_t, std::int64_t, std::uint8_t, std::int8_t, bool, std::uint16_t, std::int16_t,
           std::uint32_t, std::uint64_t>(half ? DType::kUint16 : in.dtype, [&](auto tag) {
    offsets = offsets_of_nonzeros<typename decltype(tag)::type>(in);
  });
  return offsets;
}

}  // namespace

std::vector<Tensor> nonzero(const KernelCall& call) {
  const InputView& in = call.in(0);
  const std::vector<std::int64_t> offsets = nonzero_offsets(in);
  const auto found = static_cast<std::int64_t>(offsets.size());
  const std::size_t rank = in.shape.size();
  Tensor result(DType::kInt64, {static_cast<std::int64_t>(rank), found});
  std::int64_t* target = result.mutable_data<std::int64_t>().data();
  const Strides strides = strides_of(in.shape, Layout::kPlain);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    for (const std::int64_t offset : offsets) *target++ = offset / strides[axis] % in.shape[axis];
  }
  return {result};
}

}  // namespace cleave::exec::reference
