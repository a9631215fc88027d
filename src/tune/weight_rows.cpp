#include "tune/weight_rows.h"

#include <algorithm>

#include "quant/quantizer.h"

namespace cleave::tune {

namespace {

/// Calls body(position in the tensor, position in the rows, run length).
template <typename Body>
void for_each_run(const quant::ChannelLayout& layout, const Body& body) {
  for (std::int64_t o = 0; o < layout.outer; ++o) {
    for (std::int64_t c = 0; c < layout.channels; ++c) {
      body((o * layout.channels + c) * layout.inner, c * layout.channel_elements() + o * layout.inner, layout.inner);
    }
  }
}

}  // namespace

WeightRows weight_rows(const Tensor& weights, int axis) {
  const auto layout = quant::ChannelLayout::of(weights.shape(), axis);
  WeightRows rows{std::vector<float>(static_cast<std::size_t>(weights.elements())), layout.channels,
                  layout.channel_elements()};
  const float* from = weights.data<float>().data();
  for_each_run(layout, [&](std::int64_t in_tensor, std::int64_t in_rows, std::int64_t count) {
    std::copy_n(from + in_tensor, count, rows.values.data() + in_rows);
  });
  return rows;
}

Tensor codes_of_rows(std::span<const std::int8_t> codes, const Shape& shape, int axis) {
  Tensor tensor(DType::kInt8, shape);
  std::int8_t* to = tensor.mutable_data<std::int8_t>().data();
  for_each_run(quant::ChannelLayout::of(shape, axis),
               [&](std::int64_t in_tensor, std::int64_t in_rows, std::int64_t count) {
                 std::copy_n(codes.data() + in_rows, count, to + in_tensor);
               });
  return tensor;
}

void copy_channel(const Tensor& source, Tensor& target, int axis, std::int64_t channel) {
  const auto layout = quant::ChannelLayout::of(source.shape(), axis);
  const std::int8_t* from = source.data<std::int8_t>().data();
  std::int8_t* to = target.mutable_data<std::int8_t>().data();
  for (std::int64_t o = 0; o < layout.outer; ++o) {
    const std::int64_t begin = (o * layout.channels + channel) * layout.inner;
    std::copy_n(from + begin, layout.inner, to + begin);
  }
}

}  // namespace cleave::tune
