#include "quant/grid_error.h"

#include <algorithm>
#include <limits>

#include "quant/rounding.h"

namespace cleave::quant {

void HalfLine::add(double x, double w) {
  magnitude.push_back(x);
  weight.push_back(w);
}

void HalfLine::finish() {
  const std::size_t count = magnitude.size();
  weight_from.assign(count + 1, 0);
  first_from.assign(count + 1, 0);
  square_from.assign(count + 1, 0);
  for (std::size_t i = count; i-- > 0;) {
    weight_from[i] = weight_from[i + 1] + weight[i];
    first_from[i] = first_from[i + 1] + weight[i] * magnitude[i];
    square_from[i] = square_from[i + 1] + weight[i] * magnitude[i] * magnitude[i];
  }
}

double HalfLine::clipped(double edge) const {
  const auto above = std::upper_bound(magnitude.begin(), magnitude.end(), edge);
  const auto i = static_cast<std::size_t>(above - magnitude.begin());
  return square_from[i] + edge * (edge * weight_from[i] - 2 * first_from[i]);
}

double HalfLine::error(double step, std::int32_t levels) const {
  const double inverse = 1 / step;
  const double top = levels;
  double sum = 0;
  for (std::size_t i = 0; i < magnitude.size(); ++i) {
    const double difference = magnitude[i] - step * clamped_code(magnitude[i] * inverse, 0.0, top);
    sum += weight[i] * difference * difference;
  }
  return sum;
}

GridError::GridError(const WeightedValues& values) {
  for (std::size_t i = values.values.size(); i-- > 0;) {
    if (values.values[i] < 0) negative_.add(-values.values[i], values.counts[i]);
  }
  for (std::size_t i = 0; i < values.values.size(); ++i) {
    if (values.values[i] > 0) positive_.add(values.values[i], values.counts[i]);
  }
  negative_.finish();
  positive_.finish();
  total_square_ = negative_.square_from[0] + positive_.square_from[0];
}

double GridError::largest() const {
  return std::max(negative_.largest(), positive_.largest());
}

double GridError::at(double step, CodeLevels levels) const {
  return negative_.error(step, levels.negative) + positive_.error(step, levels.positive);
}

double GridError::clipped(double step, CodeLevels levels) const {
  return negative_.clipped(step * levels.negative) + positive_.clipped(step * levels.positive);
}

double GridError::unclipped_step(CodeLevels levels) const {
  double step = 0;
  for_each_side(levels, [&](const HalfLine& side, std::int32_t codes) {
    if (codes > 0) step = std::max(step, side.largest() / codes);
  });
  return step;
}

double GridError::smallest_step(CodeLevels levels, double limit) const {
  const double tolerated = limit + 1e-12 * total_square_;  // the sums cancel
  double good = unclipped_step(levels);
  if (good == 0 || clipped(good, levels) > tolerated) return std::numeric_limits<double>::infinity();
  double bad = 0;
  for (int i = 0; i < 40; ++i) {
    const double middle = 0.5 * (bad + good);
    (clipped(middle, levels) > tolerated ? bad : good) = middle;
  }
  return bad > 0 ? bad : good;
}

}  // namespace cleave::quant
