#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "quant/histogram.h"

namespace cleave::quant {

WeightedValues WeightedValues::exact(std::span<const float> data) {
  std::vector<float> sorted(data.begin(), data.end());
  if (!std::all_of(sorted.begin(), sorted.end(), [](float x) { return std::isfinite(x); })) {
    throw Error(ErrorKind::kInvalidInput, "a value to quantize is not finite");
  }
  std::sort(sorted.begin(), sorted.end());
  WeightedValues result;
  result.values.reserve(sorted.size());
  result.counts.reserve(sorted.size());
  result.total = static_cast<double>(sorted.size());
  for (const float value : sorted) {
    if (!result.values.empty() && result.values.back() == double{value}) {
      result.counts.back() += 1;
    } else {
      result.values.push_back(value);
      result.counts.push_back(1);
    }
  }
  return result;
}

namespace {

template <typename Term>
double mean_of(const WeightedValues& data, const Term& term) {
  double sum = 0;
  for (std::size_t i = 0; i < data.values.size(); ++i) sum += data.counts[i] * term(data.values[i]);
  return data.total > 0 ? sum / data.total : 0;
}

}  // namespace

double WeightedValues::max_magnitude() const {
  return values.empty() ? 0 : std::max(std::abs(values.front()), std::abs(values.back()));
}

double WeightedValues::quantile(double fraction) const {
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += counts[i];
    if (sum >= fraction * total) return values[i];
  }
  return values.empty() ? 0 : values.back();
}

double WeightedValues::mean() const {
  return mean_of(*this, [](double x) { return x; });
}

double WeightedValues::variance() const {
  const double center = mean();
  return mean_of(*this, [center](double x) { return (x - center) * (x - center); });
}

double WeightedValues::mean_square() const {
  return mean_of(*this, [](double x) { return x * x; });
}

double WeightedValues::mean_absolute_deviation() const {
  const double center = mean();
  return mean_of(*this, [center](double x) { return std::abs(x - center); });
}

}  // namespace cleave::quant
