#pragma once

#include "quant/grid_error.h"
#include "quant/histogram.h"

namespace cleave::quant {

/// The clip T of least Kullback-Leibler divergence between the values, those beyond T moved onto T, and what their
/// codes keep of them. Values are seen by magnitude, in 4096 equal bins of [0, max|x|]; zeros are left out, since every
/// grid has them exactly. For step T / levels a code stands for the bins that round to it and spreads what fell into
/// them, without what was cut off, over those of them that are not empty:
///
///     P_i = count of bin i, the last one with all beyond;   Q_i = (count of i's code) / (its bins with P > 0)
///     D(T) = sum_i P_i / P log((P_i / P) / (Q_i / Q))
///
/// levels: codes on one side, 2^b - 1 of values of one sign, 2^(b-1) else. Every bin's upper edge from `levels` bins on
/// is a candidate. Source: Migacz, "8-bit inference with TensorRT", 2017; differs in the number of bins, in zeros, in
/// whole cells of codes and in that no count is truncated. Returns max|x| when there are fewer bins than codes; 0 when
/// all values are zero.
double entropy_clip(const WeightedValues& values, std::int32_t levels);

}  // namespace cleave::quant
