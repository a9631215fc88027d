#include "calibration/channel_windows.h"

#include <algorithm>
#include <bit>

#include "core/check.h"

namespace cleave::calibration {

namespace {

constexpr int kShift = 19;
constexpr std::uint32_t kSlots = 256;    // 16 octaves of 16 bins
constexpr std::uint32_t kHeadroom = 32;  // bins above the largest value of the first row: two octaves
constexpr std::uint32_t kDumps = 4;      // behind the slots, for what is outside; they take turns, so that equal values
                                         // (zeros after ReLU) do not wait for their own last store
constexpr std::uint32_t kSide = kSlots + kDumps;
constexpr std::uint32_t kMagnitudeMask = 0x7FFFFFFFU;
constexpr std::uint32_t kMaxPending = UINT16_MAX;

/// Distance of the value's magnitude bin from the window's first; kSlots or more when it is outside.
std::uint32_t slot_of(std::uint32_t pattern, std::uint32_t first) {
  return ((pattern & kMagnitudeMask) >> kShift) - first;
}

}  // namespace

ChannelWindows::ChannelWindows(std::size_t channels) : windows_(channels), slots_(channels * 2 * kSide) {}

void ChannelWindows::add(std::size_t channel, std::span<const float> values, const RowSummary& seen,
                         quant::FloatHistogram& histogram) {
  CLEAVE_CHECK(values.size() <= kMaxPending, "a slot holds at most 65535");
  Window& window = windows_[channel];
  if (window.pending + values.size() > kMaxPending) flush(channel, histogram);
  window.zeros += seen.zeros;
  if (seen.largest_magnitude == 0) return;
  if (window.first == 0) {
    const std::uint32_t top = (static_cast<std::uint32_t>(seen.largest_magnitude) >> kShift) + kHeadroom;
    window.first = std::max(top, kSlots) - kSlots + 1;
  }
  window.pending += static_cast<std::uint32_t>(values.size());
  if (count(channel, values) == seen.zeros) return;
  const std::uint32_t outside = add_outside(window, values, histogram);
  if (outside > values.size() / 8) flush(channel, histogram);  // the window stands in the wrong place
}

/// Returns how many values were outside, zeros among them.
std::uint32_t ChannelWindows::count(std::size_t channel, std::span<const float> values) {
  const std::uint32_t first = windows_[channel].first;
  std::uint16_t* const slots = slots_.data() + channel * 2 * kSide;
  std::uint32_t dump = kSlots;
  for (const float value : values) {
    const auto pattern = std::bit_cast<std::uint32_t>(value);
    ++slots[(pattern >> 31) * kSide + std::min(slot_of(pattern, first), dump)];
    dump = kSlots + (dump + 1) % kDumps;
  }
  std::uint32_t outside = 0;
  for (std::uint32_t i = 0; i < 2 * kDumps; ++i) {
    std::uint16_t& dumped = slots[i / kDumps * kSide + kSlots + i % kDumps];
    outside += dumped;
    dumped = 0;
  }
  return outside;
}

/// Returns how many there were; zeros are counted elsewhere.
std::uint32_t ChannelWindows::add_outside(const Window& window, std::span<const float> values,
                                          quant::FloatHistogram& histogram) {
  std::uint32_t added = 0;
  for (const float value : values) {
    const auto pattern = std::bit_cast<std::uint32_t>(value);
    if ((pattern & kMagnitudeMask) == 0 || slot_of(pattern, window.first) < kSlots) continue;
    histogram.add(value);
    ++added;
  }
  return added;
}

void ChannelWindows::flush(std::size_t channel, quant::FloatHistogram& histogram) {
  Window& window = windows_[channel];
  histogram.add(0.0F, window.zeros);
  std::uint16_t* const slots = slots_.data() + channel * 2 * kSide;
  for (std::uint32_t i = 0; window.pending > 0 && i < 2 * kSide; ++i) {
    if (slots[i] == 0) continue;
    const std::uint32_t pattern = i / kSide << 31 | (window.first + i % kSide) << kShift;
    histogram.add(std::bit_cast<float>(pattern), slots[i]);
    slots[i] = 0;
  }
  window = {};
}

}  // namespace cleave::calibration
