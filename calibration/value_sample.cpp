#include "calibration/value_sample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "exec/kernels/simd/kernels.h"

namespace cleave::calibration {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (SplitMix64), OOPSLA 2014.
std::uint64_t mixed(std::uint64_t state) {
  state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9U;
  state = (state ^ (state >> 27)) * 0x94D049BB133111EBU;
  return state ^ (state >> 31);
}
constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15U;

/// All channels at one position, to out[channels].
void copy_position(const ValuesView& values, std::int64_t position, float* out) {
  const auto [batch, channels, spatial] = values.extent;
  const std::int64_t blocks = (channels + values.block - 1) / values.block;
  const float* from = values.data + (position / spatial * blocks * spatial + position % spatial) * values.block;
  if (values.block == 1) {
    for (std::int64_t c = 0; c < channels; ++c) out[c] = from[c * spatial];
    return;
  }
  for (std::int64_t first = 0; first < channels; first += values.block, from += spatial * values.block) {
    out = std::copy_n(from, std::min(values.block, channels - first), out);
  }
}

/// Magnitude that few of the values pass.
float tail_threshold(std::span<const float> sample) {
  constexpr std::size_t kParts = 16;
  constexpr std::size_t kRank = 3;
  std::array<float, kParts> low{}, high{}, zero_or_nan{};
  std::array<std::int32_t, kParts> zeros{};
  exec::simd::Tail none{kInfinity, nullptr, 0};
  exec::simd::kernels().bounds.of_runs(sample.data(), static_cast<std::int64_t>(sample.size() / kParts), kParts,
                                       {low.data(), high.data(), zero_or_nan.data(), zeros.data()}, none);
  for (std::size_t i = 0; i < kParts; ++i) high[i] = std::max({high[i], -low[i], 0.0F});
  std::sort(high.begin(), high.end(), std::greater<>());
  return high[kRank];
}

}  // namespace

std::int64_t sampled_positions(const Extent& extent) {
  constexpr std::int64_t kPart = 32;
  constexpr std::int64_t kLeast = 256, kMost = 1024, kLeastPositions = 4;
  const std::int64_t all = extent.positions();
  const std::int64_t channels = std::max<std::int64_t>(1, extent.channels);
  const std::int64_t values = std::clamp(all * channels / kPart, kLeast, kMost);
  const std::int64_t positions = std::max((values + channels - 1) / channels, kLeastPositions);
  return 2 * positions > all || 2 * kLeast >= all * channels ? all : positions;
}

float ValueSample::take(const ValuesView& values, std::uint64_t seed) {
  const std::int64_t all = values.extent.positions();
  const std::int64_t count = sampled_positions(values.extent);
  channels_ = values.extent.channels;
  const auto channels = static_cast<std::size_t>(channels_);
  const std::size_t begin = values_.size();
  values_.resize(begin + static_cast<std::size_t>(count) * channels);
  float* out = values_.data() + begin;
  for (std::int64_t i = 0; i < count; ++i, out += channels, seed += kStep) {
    const std::int64_t first = i * all / count;
    const auto stretch = static_cast<std::uint64_t>((i + 1) * all / count - first);
    copy_position(values, first + static_cast<std::int64_t>(stretch > 1 ? mixed(seed) % stretch : 0), out);
  }
  const std::span<const float> sample = std::span(values_).subspan(begin);
  images_.push_back({sample.size(), count == all ? kInfinity : tail_threshold(sample), 0});
  return images_.back().threshold;
}

void ValueSample::settle(const quant::ValueCounts& counts, std::span<const float> tail) {
  const std::size_t before = tail_.size();
  tail_.insert(tail_.end(), tail.begin(), tail.end());
  if (counts.infs > 0) std::erase_if(tail_, [](float x) { return !std::isfinite(x); });
  zeros_ += counts.zeros;
  Image& image = images_.back();
  image.others = counts.finite() - counts.zeros - (tail_.size() - before);
  for (const float end : {counts.min, counts.max}) {
    const bool is_other = end != 0 && std::abs(end) <= image.threshold;
    if (image.threshold == kInfinity || !is_other || image.others == 0) continue;
    tail_.push_back(end);
    --image.others;
  }
  others_ += image.others;
}

bool ValueSample::full() const {
  constexpr std::size_t kValues = 1 << 14;
  constexpr std::size_t kPerChannel = 64;  // so that the visit of a channel's window is worth it
  constexpr std::uint64_t kMostOthers = std::uint64_t{1} << 31;
  return values_.size() + tail_.size() >= std::max(kValues, kPerChannel * static_cast<std::size_t>(channels_)) ||
         others_ >= kMostOthers;
}

void ValueSample::move_into(quant::TensorStatistics& statistics, ChannelWindows& windows, HistogramFiller& filler) {
  if (!values_.empty()) {
    const ValuesView view{
        values_.data(), {1, channels_, static_cast<std::int64_t>(values_.size()) / channels_}, channels_};
    filler.add_to_channels(view, statistics, windows);
  }
  std::span<const float> rest(values_);
  for (const Image& image : images_) {
    filler.add_as(rest.first(image.values), image.threshold, image.others);
    rest = rest.subspan(image.values);
  }
  filler.add_finite(tail_);
  filler.empty_into(statistics.histogram);
  statistics.histogram.add(0.0F, zeros_);
  values_.clear();
  tail_.clear();
  images_.clear();
  zeros_ = others_ = 0;
}

}  // namespace cleave::calibration
