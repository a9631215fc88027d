#include "tap_recorder.h"

#include <gtest/gtest.h>

namespace cleave::exec::testing {

void TapRecorder::observe(const ActivationView& activation) {
  Tensor plain(DType::kFloat32, activation.shape);
  const auto target = plain.mutable_data<float>();
  const std::int64_t batch = activation.shape.empty() ? 1 : activation.shape[0];
  const std::int64_t channels = activation.channel_block == 1 ? 1 : activation.shape[1];
  const std::int64_t pixels = plain.elements() / std::max<std::int64_t>(batch * channels, 1);
  const std::int64_t block = activation.channel_block;
  const std::int64_t blocks = (channels + block - 1) / block;
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t p = 0; p < pixels; ++p) {
        const std::int64_t from = ((n * blocks + c / block) * pixels + p) * block + c % block;
        target[static_cast<std::size_t>((n * channels + c) * pixels + p)] = activation.data[from];
      }
    }
  }
  order_.push_back(activation.tensor);
  values_.push_back(std::move(plain));
}

Tensor TapRecorder::value(graph::TensorId id) const {
  Tensor found;
  int times = 0;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    if (order_[i] != id) continue;
    found = values_[i];
    ++times;
  }
  EXPECT_EQ(times, 1);
  return found;
}

}  // namespace cleave::exec::testing
