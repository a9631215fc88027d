#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace cleave::quant {

/// Values with multiplicities, sorted by value: the one form in which clips and distortions see data, be it exact
/// numbers (count 1 each) or histogram bins.
struct WeightedValues {
  std::vector<double> values;   ///< ascending
  std::vector<double> counts;   ///< > 0
  double total = 0;             ///< sum of counts

  static WeightedValues exact(std::span<const float> data);
  double mean() const;
  double variance() const;       ///< population
  double mean_square() const;
  double mean_absolute_deviation() const;  ///< E|x - mean|
};

/// Counts of float32 values by the top bits of their pattern: bin(x) = bits(x) >> shift. Needs no range pass and
/// merges exactly (unsigned counts). NaN and infinities are never added. +0 and -0 are counted as +0.
///
/// shift 17 keeps 6 mantissa bits: bins 1/64 of an octave wide. Source: measured clips within 1 % of the exact MSE.
class FloatHistogram {
 public:
  explicit FloatHistogram(int shift = 17);

  void add(float value, std::uint64_t count = 1);
  /// Dense fast path: adds many finite values.
  void add(std::span<const float> finite_values);
  void merge(const FloatHistogram& other);  ///< same shift (checked)

  int shift() const { return shift_; }
  std::uint64_t total() const;
  bool empty() const;
  /// Bins as (pattern index, count), ascending by index.
  std::vector<std::pair<std::uint32_t, std::uint64_t>> bins() const;
  static FloatHistogram from_bins(int shift, const std::vector<std::pair<std::uint32_t, std::uint64_t>>& bins);

  /// Bin midpoints with counts, sorted by value; bins are clamped to [min, max] of the seen data when given.
  WeightedValues weighted(double min, double max) const;

  bool operator==(const FloatHistogram& other) const;

 private:
  int shift_;
  std::vector<std::uint64_t> counts_;  ///< dense, 2^(32 - shift) slots, allocated on first use
};

}  // namespace cleave::quant
