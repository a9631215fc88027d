#pragma once

#include <cstdint>

#include "cost/device.h"

namespace cleave::cost {

/// What the tile schedule counts for one convolution; all but `cycles` as the published simulator's statistics.
struct TileCounts {
  double cycles = 0;                ///< weights' transfer + sum over tiles of max(compute, transfer)
  double compute_cycles = 0;        ///< of all tiles, hidden or not
  std::int64_t transfer_bound = 0;  ///< tiles whose transfer takes longer; the weights' transfer is counted as one
  std::int64_t compute_bound = 0;   ///< the other tiles
  double input_bytes = 0;           ///< sum over tiles, overlaps read again
  double weight_bytes = 0;          ///< as priced: grouped convolutions as dense ones, depthwise one filter per channel
  double output_bytes = 0;          ///< of every window started; costs no time
  std::int64_t multipliers = 0;     ///< of which one kernel column keeps busy; 0 when the kernel is wider than a tile
};

/// Auto-Split's published cycle model of one convolution, faults included (docs/cost-model.md lists them).
///
///     cycles = dma * W * weight/8  +  sum over tiles of max(mac, dma * c * w * h * activation/8)
///     mac    = ceil(Cout / filters) * n_h * ceil(activation / 8)
///              + Cout * n_w * ceil(n_h / adders)                  (not for the first channels of a place)
///     W      = Cout * Cin * Kh * Kw                               (not divided by groups)
///     n_h    = h - ceil(K / S) + 1,  n_w = floor((w - K) / S) + 1 windows of a tile; 1 when it is smaller than K
///
/// Depthwise (groups >= Cin): W = Cin * Kh * Kw, and a tile takes max(n_h, c * w * h * activation/8).
/// Tiles are c <= channels, h <= height values of the last axis, w <= width of the one before, over the input without
/// padding; all but the first of an axis begin K - 1 earlier, their distance stays a whole tile.
///
/// work    a convolution; everything else counts nothing. A transposed one is priced with stride 1 over its input.
/// Throws Error(kUnsupported) beyond 10^9 tiles. Cost: O(tiles).
/// Source: Auto-Split (Banitalebi-Dehkordi et al., KDD 2021), released simulator (HWCF and HWC schedules).
TileCounts tile_counts(const TileModel& model, const UnitWork& work, quant::Bits weight, quant::Bits activation);

}  // namespace cleave::cost
