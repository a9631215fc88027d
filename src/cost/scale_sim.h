#pragma once

#include <cstdint>

#include "cost/device.h"

namespace cleave::cost {

/// A row of SCALE-Sim's topology files: one image, one group, padding already part of the input. A word is a byte.
struct TopologyLayer {
  std::int64_t ifmap_height, ifmap_width;
  std::int64_t filter_height, filter_width;
  std::int64_t channels, filters;
  std::int64_t stride_height, stride_width;
};

struct SystolicArray {
  std::int64_t rows, columns;
  Dataflow dataflow;
};

/// The product that version 2 makes of a layer: a last window that hangs over the border is kept,
/// P = ceil((H - Kh + S) / S) * ceil((W - Kw + S) / S).
GemmShape gemm_of_layer(const TopologyLayer& layer);

/// Total cycles of version 1: it pays for the rows and columns in use, not for whole folds, and stands several windows
/// on top of each other where rows >= 2K. P counts whole windows only.
/// layer   the array's convolution; both strides alike (version 1 has one).
/// Cost: O(folds). Source: SCALE-Sim v1 (Samajdar et al., 2018), closed forms fitted to its traces.
std::int64_t version_1_cycles(const TopologyLayer& layer, const SystolicArray& array);

/// Words that a read buffer of that many bytes holds before version 2 empties it: half of a hundred sets,
/// 50 * floor(bytes / 100).
std::int64_t buffer_words(std::int64_t sram_bytes);

/// Words of the output written to DRAM: P * N, times the row folds where partial sums leave the array (ws, is); they
/// are never read back. The report adds padding slots to that: at most 1 %, more on tiny layers.
std::int64_t dram_writes(const GemmShape& gemm, const SystolicArray& array);

/// Words between DRAM and the array's buffers, as version 2 reports them without stalls (CALC mode).
struct DramTraffic {
  std::int64_t ifmap_reads, filter_reads, ofmap_writes;
};

/// Reads by the rule of version 2: an address that is not in the buffer is read and kept; a buffer that is full forgets
/// everything. Addresses come line by line, in a line row by row (column by column), skewed as the array wants them:
///   ws  ifmap streams once per column fold, each filter word comes once
///   os  ifmap streams once per column fold, the filters of a column fold once per row fold
///   is  each window word is placed once, filters stream once per column fold
/// Writes: dram_writes.
///
/// ifmap_words, filter_words   capacity of each read buffer, at least 1 (buffer_words).
/// Throws Error(kUnsupported) beyond 2^36 input accesses or 2^31 input words.
/// Cost: O(1) where the input fits or windows do not overlap; else O(P * K) as a rule, O(P * K * column folds) at
/// worst, and 4 bytes per input word. Source: SCALE-Sim v2 (Samajdar et al., ISPASS 2020), its double-buffered scratch
/// pads.
DramTraffic dram_traffic(const TopologyLayer& layer, const SystolicArray& array, std::int64_t ifmap_words,
                         std::int64_t filter_words);

}  // namespace cleave::cost
