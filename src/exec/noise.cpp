#include "exec/noise.h"

#include <random>

namespace cleave::exec {

Tensor noise(const graph::TensorInfo& info, std::uint32_t seed) {
  std::mt19937 random(seed);
  Tensor tensor(info.dtype, info.shape);
  if (info.dtype == DType::kFloat32) {
    for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random()) / 2147483648.0F - 1.0F;
    return tensor;
  }
  const std::size_t stride = dtype_bytes(info.dtype);
  const auto bytes = tensor.mutable_raw();
  const unsigned mask = info.dtype == DType::kBool ? 1 : 255;
  for (std::size_t i = 0; i < bytes.size(); i += stride) bytes[i] = static_cast<std::byte>(random() & mask);
  return tensor;
}

std::vector<Tensor> noise_inputs(const graph::Graph& graph, std::uint32_t seed) {
  std::vector<Tensor> inputs;
  for (const graph::TensorId id : graph.inputs()) inputs.push_back(noise(graph.tensor(id), seed++));
  return inputs;
}

}  // namespace cleave::exec
