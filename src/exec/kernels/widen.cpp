#include "exec/kernels/widen.h"

#include <algorithm>
#include <vector>

#include "exec/kernels/half.h"

namespace cleave::exec {
namespace {

template <typename View>
bool is_half_view(const View& view) {
  return is_half(view.dtype);
}

}  // namespace

void widen(const InputView& from, float* to) {
  const auto* bits = from.as<std::uint16_t>();
  const auto convert = from.dtype == DType::kFloat16 ? from_float16 : from_bfloat16;
  std::transform(bits, bits + from.elements(), to, convert);
}

void narrow(const float* from, const OutputView& to) {
  const auto convert = to.dtype == DType::kFloat16 ? to_float16 : to_bfloat16;
  std::transform(from, from + to.elements(), to.as<std::uint16_t>(), convert);
}

void run_widened(const KernelCall& call, Kernel kernel) {
  if (std::none_of(call.inputs.begin(), call.inputs.end(), is_half_view<InputView>) &&
      std::none_of(call.outputs.begin(), call.outputs.end(), is_half_view<OutputView>)) {
    return kernel(call);
  }
  std::vector<std::vector<float>> buffers;
  const auto add_buffer = [&buffers](std::int64_t elements) {
    return buffers.emplace_back(static_cast<std::size_t>(elements)).data();
  };
  std::vector<InputView> inputs(call.inputs.begin(), call.inputs.end());
  for (InputView& view : inputs) {
    if (!is_half(view.dtype)) continue;
    float* wide = add_buffer(view.elements());
    widen(view, wide);
    view.dtype = DType::kFloat32;
    view.data = reinterpret_cast<const std::byte*>(wide);
  }
  std::vector<OutputView> outputs(call.outputs.begin(), call.outputs.end());
  for (OutputView& view : outputs) {
    if (!is_half(view.dtype)) continue;
    view.dtype = DType::kFloat32;
    view.data = reinterpret_cast<std::byte*>(add_buffer(view.elements()));
  }
  kernel({call.node, inputs, outputs});
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (is_half(call.outputs[i].dtype)) narrow(outputs[i].as<float>(), call.outputs[i]);
  }
}

}  // namespace cleave::exec
