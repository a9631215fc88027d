#include "quant/channel_values.h"

namespace cleave::quant {

WeightedValues channel_values(const Tensor& weights, const ChannelLayout& layout, std::int64_t channel) {
  const auto all = weights.data<float>();
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(layout.channel_elements()));
  for (std::int64_t o = 0; o < layout.outer; ++o) {
    const auto run = all.subspan(static_cast<std::size_t>((o * layout.channels + channel) * layout.inner),
                                 static_cast<std::size_t>(layout.inner));
    values.insert(values.end(), run.begin(), run.end());
  }
  return WeightedValues::exact(values);
}

}  // namespace cleave::quant
