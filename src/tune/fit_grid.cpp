#include "tune/fit_grid.h"

#include <algorithm>
#include <limits>

namespace cleave::tune {

namespace {

constexpr double kFactors[] = {1.0, 0.95, 1.05, 0.9, 1.1, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5};
constexpr std::int64_t kValues = 1 << 20;

}  // namespace

quant::AffineQuantizer fit_grid(const quant::AffineQuantizer& grid, const std::vector<std::vector<Tensor>>& values,
                                const std::vector<std::vector<Tensor>>& targets) {
  const std::int64_t all = values[0][0].elements() * static_cast<std::int64_t>(values.size());
  const auto stride = static_cast<std::size_t>(std::max<std::int64_t>(1, all / kValues) | 1);
  quant::AffineQuantizer best = grid;
  double least = std::numeric_limits<double>::infinity();
  for (const double factor : kFactors) {
    quant::AffineQuantizer scaled = grid;
    scaled.scale = static_cast<float>(static_cast<double>(grid.scale) * factor);
    double error = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto given = values[i][0].data<float>();
      const auto wanted = targets[i][0].data<float>();
      for (std::size_t k = i % stride; k < given.size(); k += stride) {
        const double d = static_cast<double>(scaled.fake(given[k])) - static_cast<double>(wanted[k]);
        error += d * d;
      }
    }
    if (error >= least) continue;
    least = error;
    best = scaled;
  }
  return best;
}

}  // namespace cleave::tune
