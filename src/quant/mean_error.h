#pragma once

#include "quant/grid_error.h"
#include "quant/histogram.h"
#include "quant/rounding.h"

namespace cleave::quant {

/// Sum of cost(count, x - step * q) over the values, q the nearest of {-negative..positive}, for each of all values;
/// 0 for none.
template <typename Cost>
double mean_error(const WeightedValues& values, double step, CodeLevels levels, const Cost& cost) {
  const double lowest = -levels.negative;
  const double highest = levels.positive;
  double sum = 0;
  for (std::size_t i = 0; i < values.values.size(); ++i) {
    const double x = values.values[i];
    sum += cost(values.counts[i], x - step * clamped_code(x / step, lowest, highest));
  }
  return values.total > 0 ? sum / values.total : 0;
}

/// Mean of the squared errors.
inline double mean_square_error(const WeightedValues& values, double step, CodeLevels levels) {
  return mean_error(values, step, levels,
                    [](double count, double difference) { return count * difference * difference; });
}

}  // namespace cleave::quant
