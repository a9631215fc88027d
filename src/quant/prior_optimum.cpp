#include "quant/prior_optimum.h"

#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <numbers>
#include <tuple>

#include "core/check.h"
#include "quant/golden_section.h"

namespace cleave::quant {
namespace {

/// Of |x|: the mass above an edge, the first moment above it, and the whole second moment.
double mass_above(Density density, double edge) {
  return density == Density::kLaplace ? std::exp(-edge) : std::erfc(edge / std::numbers::sqrt2);
}
double first_above(Density density, double edge) {
  if (density == Density::kLaplace) return (edge + 1) * std::exp(-edge);
  return std::sqrt(2 / std::numbers::pi) * std::exp(-0.5 * edge * edge);
}
double second_moment(Density density) {
  return density == Density::kLaplace ? 2 : 1;
}

double side_mse(Density density, double step, std::int32_t levels) {
  double first = 0;
  double mass = 0;
  for (std::int32_t q = 1; q <= levels; ++q) {
    const double edge = (q - 0.5) * step;
    first += first_above(density, edge);
    mass += (2.0 * q - 1) * mass_above(density, edge);
  }
  return second_moment(density) - 2 * step * first + step * step * mass;
}

constexpr int kScan = 200;           // steps tried before the valley is narrowed down
constexpr double kTolerance = 1e-9;  // of the step

}  // namespace

double prior_mse(Density density, double step, CodeLevels levels) {
  CLEAVE_CHECK(levels.positive > 0 && levels.negative >= 0 && step > 0, "a grid has codes and a step");
  const double positive = side_mse(density, step, levels.positive);
  if (levels.negative == 0) return positive;
  return 0.5 * (positive + side_mse(density, step, levels.negative));
}

namespace {

PriorOptimum solve(Density density, CodeLevels levels) {
  const auto mse = [&](double step) { return prior_mse(density, step, levels); };
  // The best clip lies between half and 16 units for all grids of 1 to 8 bits.
  const double smallest = 0.5 / levels.positive;
  const double growth = std::pow(32.0, 1.0 / kScan);
  double best = smallest;
  double least = std::numeric_limits<double>::infinity();
  for (double step = smallest; step <= 32 * smallest; step *= growth) {
    const double error = mse(step);
    if (error >= least) continue;
    least = error;
    best = step;
  }
  const Minimum found = golden_section(mse, best / growth, best * growth, kTolerance);
  return {found.at, found.value};
}

}  // namespace

PriorOptimum prior_optimum(Density density, CodeLevels levels) {
  static std::mutex mutex;
  static std::map<std::tuple<Density, std::int32_t, std::int32_t>, PriorOptimum> solved;
  const std::lock_guard lock(mutex);
  const auto [place, is_new] = solved.try_emplace({density, levels.negative, levels.positive});
  if (is_new) place->second = solve(density, levels);
  return place->second;
}

}  // namespace cleave::quant
