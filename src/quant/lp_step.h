#pragma once

#include "quant/grid_error.h"
#include "quant/histogram.h"

namespace cleave::quant {

/// Mean of |x - s q|^p over the values, q the nearest of {-negative..positive}. p > 0.
double lp_error(const WeightedValues& values, double step, CodeLevels levels, double p);

/// The step of least lp_error: LAPQ's layer-wise phase, where p trades clipping against rounding (p = 2 is the squared
/// error, which StepSearch minimises exactly; large p approaches the whole range). The function has many shallow
/// valleys: a scan of steps, then each of the best ones narrowed down; the value is the least to 1e-3 of itself.
/// Source: Nahshan et al., "Loss aware post-training quantization", 2021. All-zero values: step 1, error 0.
struct LpStep {
  double step = 1;
  double error = 0;
};
LpStep lp_step(const WeightedValues& values, CodeLevels levels, double p);

/// The same over grids {negative = z, positive = top - z}: 17 zero points at equal distances (up to 4 bits: all), then
/// ever closer around the best. Each is judged by a coarser scan, the best one's step then found as lp_step does.
struct LpGrid {
  LpStep found;
  CodeLevels levels;
};
LpGrid lp_over_zero_points(const WeightedValues& values, std::int32_t top, double p);

}  // namespace cleave::quant
