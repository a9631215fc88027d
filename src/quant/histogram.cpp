#include "quant/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "core/check.h"
#include "core/error.h"

namespace cleave::quant {

namespace {

constexpr int kMinShift = 12;  // page numbers fit in 16 bits
constexpr int kMaxShift = 23;  // infinities and NaN have bins of their own
constexpr std::uint32_t kPageBins = 64;
constexpr std::uint32_t kSignBit = 0x80000000U;
constexpr std::uint32_t kInfinityPattern = 0x7F800000U;

constexpr bool is_finite_pattern(std::uint32_t pattern) {
  return (pattern & ~kSignBit) < kInfinityPattern;
}

/// The values whose pattern begins with an index, as an interval; both bins beside zero (subnormal numbers) are zero.
struct BinRange {
  double first;
  double last;
};

BinRange bin_range(std::uint32_t index, int shift) {
  const std::uint32_t first = index << shift;
  if ((first & ~kSignBit) == 0) return {0, 0};
  return {std::bit_cast<float>(first), std::bit_cast<float>(first + ((1U << shift) - 1U))};
}

/// Points that stand for a bin: 16 in the top octave of the tensor, 8, 4 and 2 in the next three, 1 below.
int points_of(const BinRange& bin, double largest) {
  int points = 16;
  for (double octave = largest / 2; points > 1 && std::abs(bin.first) < octave; octave /= 2) points /= 2;
  return points;
}

/// Appends a value not below the last one.
void append(WeightedValues& target, double value, double count) {
  if (!target.values.empty() && target.values.back() == value) {
    target.counts.back() += count;
    return;
  }
  target.values.push_back(value);
  target.counts.push_back(count);
}

}  // namespace

FloatHistogram::FloatHistogram(int shift) : shift_(shift) {
  CLEAVE_CHECK(shift >= kMinShift && shift <= kMaxShift, "a histogram keeps the top 9 to 20 bits of a float");
}

std::uint64_t& FloatHistogram::new_slot(std::uint32_t index) {
  if (page_of_.empty()) page_of_.resize((std::size_t{1} << (32 - shift_)) / kPageBins);
  const std::size_t begin = counts_.size();
  // Modest growth: thousands of channels each hold a histogram.
  if (counts_.capacity() < begin + kPageBins) counts_.reserve(begin + begin / 4 + kPageBins);
  counts_.resize(begin + kPageBins);
  page_of_[index / kPageBins] = static_cast<std::uint16_t>(counts_.size() / kPageBins);
  return counts_[begin + index % kPageBins];
}

inline std::uint64_t& FloatHistogram::slot(std::uint32_t index) {
  const std::size_t page = page_of_.empty() ? 0 : page_of_[index / kPageBins];
  return page == 0 ? new_slot(index) : counts_[(page - 1) * kPageBins + index % kPageBins];
}

void FloatHistogram::add(float value, std::uint64_t count) {
  const auto pattern = std::bit_cast<std::uint32_t>(value);
  if (count == 0 || !is_finite_pattern(pattern)) return;
  slot((pattern == kSignBit ? 0U : pattern) >> shift_) += count;
}

void FloatHistogram::add(std::span<const float> values) {
  for (const float value : values) {
    const auto pattern = std::bit_cast<std::uint32_t>(value);
    if (is_finite_pattern(pattern)) ++slot((pattern == kSignBit ? 0U : pattern) >> shift_);
  }
}

void FloatHistogram::merge(const FloatHistogram& other) {
  CLEAVE_CHECK(shift_ == other.shift_, "only histograms with equal bins merge exactly");
  for (const auto& [index, count] : other.bins()) slot(index) += count;
}

std::uint64_t FloatHistogram::total() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts_) sum += count;
  return sum;
}

std::vector<FloatHistogram::Bin> FloatHistogram::bins() const {
  std::vector<Bin> result;
  for (std::size_t page = 0; page < page_of_.size(); ++page) {
    if (page_of_[page] == 0) continue;
    const std::uint64_t* counts = &counts_[(page_of_[page] - std::size_t{1}) * kPageBins];
    for (std::uint32_t i = 0; i < kPageBins; ++i) {
      if (counts[i] > 0) result.emplace_back(static_cast<std::uint32_t>(page) * kPageBins + i, counts[i]);
    }
  }
  return result;
}

FloatHistogram FloatHistogram::from_bins(int shift, const std::vector<Bin>& bins) {
  if (shift < kMinShift || shift > kMaxShift) {
    throw Error(ErrorKind::kInvalidInput, "a histogram's shift is " + std::to_string(shift) + ", not in 12..23");
  }
  FloatHistogram histogram(shift);
  for (const auto& [index, count] : bins) {
    const bool known = index < (std::uint64_t{1} << (32 - shift)) && is_finite_pattern(index << shift);
    if (!known || count == 0 || histogram.slot(index) != 0) {
      throw Error(ErrorKind::kInvalidInput, "a histogram has no place for bin " + std::to_string(index));
    }
    histogram.slot(index) = count;
  }
  return histogram;
}

WeightedValues FloatHistogram::weighted(double min, double max) const {
  WeightedValues result;
  const double largest = std::max(std::abs(min), std::abs(max));
  const std::vector<Bin> ascending = bins();
  const auto add = [&](const Bin& bin) {
    const BinRange range = bin_range(bin.first, shift_);
    const int points = range.first == range.last ? 1 : points_of(range, largest);
    const auto count = static_cast<double>(bin.second);
    for (int i = 0; i < points; ++i) {
      // Towards +infinity on either side of zero.
      const double place = (0.5 + (range.first < 0 ? points - 1 - i : i)) / points;
      const double value = range.first + (range.last - range.first) * place;
      append(result, std::min(std::max(value, min), max), count / points);
    }
    result.total += count;
  };
  // Patterns of negative numbers follow the positive ones and ascend with the magnitude.
  const auto negative = std::lower_bound(ascending.begin(), ascending.end(), Bin{kSignBit >> shift_, 0});
  for (auto bin = ascending.end(); bin != negative;) add(*--bin);
  for (auto bin = ascending.begin(); bin != negative; ++bin) add(*bin);
  return result;
}

bool FloatHistogram::operator==(const FloatHistogram& other) const {
  return shift_ == other.shift_ && bins() == other.bins();
}

}  // namespace cleave::quant
