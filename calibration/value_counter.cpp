#include "calibration/value_counter.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cleave::calibration {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The value of a channel at a place of the sample that begins at `data`.
float value_at(const ValuesView& values, const float* data, std::int64_t channel, std::int64_t place) {
  const std::int64_t block = channel / values.block;
  return data[(block * values.extent.spatial + place) * values.block + channel % values.block];
}

/// Value by value, for what the fast pass cannot tell apart.
quant::ValueCounts count_one_by_one(const ValuesView& values, const float* data, std::int64_t channel) {
  quant::ValueCounts counts;
  for (std::int64_t place = 0; place < values.extent.spatial; ++place) {
    const float value = value_at(values, data, channel, place);
    counts.add({&value, 1});
  }
  return counts;
}

/// Bounds of values that are no tensor's.
struct Ends {
  float low = kInfinity;
  float high = -kInfinity;
};
Ends ends(const std::vector<float>& values) {
  Ends found;
  float zero_or_nan = 0;
  std::int32_t zeros = 0;
  exec::simd::Tail none{kInfinity, nullptr, 0};
  exec::simd::kernels().bounds.of_runs(values.data(), static_cast<std::int64_t>(values.size()), 1,
                                       {&found.low, &found.high, &zero_or_nan, &zeros}, none);
  return found;
}

/// Bounds of one sample, channel by channel.
void find_bounds(const float* data, const ValuesView& values, const exec::simd::RowBounds& bounds,
                 exec::simd::Tail& tail) {
  const auto& kernels = exec::simd::kernels().bounds;
  const auto [batch, channels, spatial] = values.extent;
  if (values.block == 1 && spatial > 1) return kernels.of_runs(data, spatial, channels, bounds, tail);
  const std::int64_t block = spatial == 1 ? channels : values.block;  // at one place channels lie side by side
  for (std::int64_t first = 0; first < channels; first += block, data += spatial * block) {
    kernels.of_rows(data, spatial, block, std::min(block, channels - first),
                    {bounds.low + first, bounds.high + first, bounds.zero_or_nan + first, bounds.zeros + first}, tail);
  }
}

}  // namespace

void ValueCounter::Bounds::resize(std::size_t channels) {
  low.resize(channels);
  high.resize(channels);
  zero_or_nan.resize(channels);
  zeros.resize(channels);
}

quant::ValueCounts ValueCounter::add(const ValuesView& values, exec::simd::Tail& tail) {
  const auto [batch, channels, spatial] = values.extent;
  seen_.resize(static_cast<std::size_t>(channels));
  low_.resize(channels_, kInfinity);
  high_.resize(channels_, -kInfinity);
  zeros_.resize(channels_);
  const std::int64_t blocks = (channels + values.block - 1) / values.block;
  quant::ValueCounts all;
  for (std::int64_t n = 0; n < batch && channels * spatial > 0; ++n) {
    all.merge(count_sample(values.data + n * blocks * spatial * values.block, values, tail));
    values_ += static_cast<std::uint64_t>(spatial);
  }
  return all;
}

quant::ValueCounts ValueCounter::count_sample(const float* data, const ValuesView& values, exec::simd::Tail& tail) {
  find_bounds(data, values, {seen_.low.data(), seen_.high.data(), seen_.zero_or_nan.data(), seen_.zeros.data()}, tail);
  float finite = 0;
  for (const float one : seen_.zero_or_nan) finite += one;
  quant::ValueCounts counts;
  if (std::isnan(finite)) counts = take_odd(data, values);
  std::uint64_t zeros = 0;
  for (const std::int32_t one : seen_.zeros) zeros += static_cast<std::uint64_t>(one);
  counts.merge({ends(seen_.low).low + 0.0F, ends(seen_.high).high + 0.0F, 0, zeros, 0, 0});  // + 0: zero has no sign
  counts.count = static_cast<std::uint64_t>(values.extent.channels * values.extent.spatial);
  keep();
  return counts;
}

/// Counts the channels with NaN or infinities one value after another and leaves nothing seen of them.
quant::ValueCounts ValueCounter::take_odd(const float* data, const ValuesView& values) {
  odd_.resize(channels_);
  quant::ValueCounts all;
  for (std::size_t c = 0; c < seen_.low.size(); ++c) {
    if (!std::isnan(seen_.zero_or_nan[c])) continue;
    quant::ValueCounts counts = count_one_by_one(values, data, static_cast<std::int64_t>(c));
    counts.count = 0;
    if (c < channels_) odd_[c].merge(counts);
    all.merge(counts);
    seen_.low[c] = kInfinity;
    seen_.high[c] = -kInfinity;
    seen_.zeros[c] = 0;
  }
  return all;
}

void ValueCounter::keep() {
  for (std::size_t c = 0; c < channels_; ++c) low_[c] = seen_.low[c] < low_[c] ? seen_.low[c] : low_[c];
  for (std::size_t c = 0; c < channels_; ++c) high_[c] = seen_.high[c] > high_[c] ? seen_.high[c] : high_[c];
  for (std::size_t c = 0; c < channels_; ++c) zeros_[c] += static_cast<std::uint64_t>(seen_.zeros[c]);
}

void ValueCounter::move_into(std::span<quant::ChannelStatistics> channels) {
  for (std::size_t c = 0; c < channels.size() && values_ > 0; ++c) {
    quant::ValueCounts counts{low_[c] + 0.0F, high_[c] + 0.0F, values_, zeros_[c], 0, 0};
    if (!odd_.empty()) counts.merge(odd_[c]);
    channels[c].counts.merge(counts);
  }
  *this = ValueCounter(channels_);
}

}  // namespace cleave::calibration
