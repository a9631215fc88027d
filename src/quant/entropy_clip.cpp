#include "quant/entropy_clip.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace cleave::quant {
namespace {

constexpr std::size_t kBins = 4096;
constexpr double kNothing = 1e-9;  // share of the mass that an empty code counts as

std::vector<double> magnitude_bins(const WeightedValues& values, double largest) {
  std::vector<double> bins(kBins, 0.0);
  for (std::size_t i = 0; i < values.values.size(); ++i) {
    if (values.values[i] == 0) continue;
    const double place = std::abs(values.values[i]) / largest * static_cast<double>(kBins);
    bins[std::min(kBins - 1, static_cast<std::size_t>(place))] += values.counts[i];
  }
  return bins;
}

/// Sums over the bins below each, so that a candidate costs what its codes are, not what its bins are.
class Divergence {
 public:
  explicit Divergence(std::vector<double> bins)
      : bins_(std::move(bins)), mass_(kBins + 1, 0.0), filled_(kBins + 1, 0.0), entropy_(kBins + 1, 0.0) {
    for (std::size_t i = 0; i < kBins; ++i) {
      mass_[i + 1] = mass_[i] + bins_[i];
      filled_[i + 1] = filled_[i] + (bins_[i] > 0 ? 1 : 0);
      entropy_[i + 1] = entropy_[i] + times_log(bins_[i]);
    }
  }

  /// D(T) for T at the upper edge of bin `count` - 1.
  double at(std::size_t count, std::int32_t levels) const {
    const double kept = mass_[count];
    const double all = mass_[kBins];
    if (kept <= 0) return std::numeric_limits<double>::infinity();
    const double last = bins_[count - 1];
    const double beyond = all - kept;
    double sum = (entropy_[count] - times_log(last) + times_log(last + beyond)) / all - std::log(all);
    std::size_t begin = 0;
    for (std::int32_t code = 0; code <= levels; ++code) {
      const std::size_t end = code == levels ? count : first_bin_above(code, count, levels);
      const double mass = mass_[end] - mass_[begin];
      const bool has_all_beyond = end == count && begin < end && beyond > 0;
      const double filled = filled_[end] - filled_[begin] + (has_all_beyond && last <= 0 ? 1 : 0);
      const double given = mass + (has_all_beyond ? beyond : 0);
      if (given > 0) sum -= given / all * std::log(std::max(mass / filled / kept, kNothing));
      begin = end;
    }
    return sum;
  }

 private:
  static double times_log(double x) { return x > 0 ? x * std::log(x) : 0; }

  /// The first bin whose middle lies at or above (code + 1/2) steps.
  static std::size_t first_bin_above(std::int32_t code, std::size_t count, std::int32_t levels) {
    const double place = (code + 0.5) * static_cast<double>(count) / levels - 0.5;
    return std::min(count, static_cast<std::size_t>(std::ceil(std::max(place, 0.0))));
  }

  std::vector<double> bins_;
  std::vector<double> mass_;
  std::vector<double> filled_;
  std::vector<double> entropy_;
};

}  // namespace

double entropy_clip(const WeightedValues& values, std::int32_t levels) {
  const double largest = values.max_magnitude();
  const auto first = static_cast<std::size_t>(levels);
  if (largest <= 0 || first >= kBins) return largest;
  const Divergence divergence(magnitude_bins(values, largest));
  double least = divergence.at(kBins, levels);
  std::size_t best = kBins;
  for (std::size_t count = kBins - 1; count >= first; --count) {
    const double found = divergence.at(count, levels);
    if (found >= least) continue;
    least = found;
    best = count;
  }
  return largest * static_cast<double>(best) / static_cast<double>(kBins);
}

}  // namespace cleave::quant
