#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "calibration/images.h"
#include "core/progress.h"
#include "graph/graph.h"
#include "quant/calibration_table.h"
#include "tune/stored_hessians.h"

namespace cleave::calibration {

struct HessianOptions {
  std::int64_t shard_index = 0;
  std::int64_t shard_count = 1;
  int threads = 0;                                     ///< images in flight; 0: all cores
  std::function<void(const std::string&)> on_warning;  ///< once per unit that is left out
};

/// A second pass over the images of a calibration table: the input moments of every Conv, Gemm and MatMul with constant
/// weights, in the float network. Units of more than tune::kMostStoredInputs inputs are left out, with a warning.
///
/// Scales follow from the table (moments_exponent of the largest input it has seen), so that the result depends on
/// neither threads nor order, and the merged shards are byte-identical to one run. Preprocessing is the table's.
/// Memory: 4 K^2 bytes per unit and group, whatever the number of images; a compiled network per thread.
///
/// Throws Error(kStale) when the table is of another graph, or an image of it is missing or has changed;
/// Error(kInvalidInput) when the table lacks shards or an image cannot be read; Error(kUnsupported) as calibrate;
/// Error(kInterrupted) on a stop request: nothing is kept.
tune::StoredHessians collect_hessians(const graph::Graph& graph, const quant::CalibrationTable& table, ImageSet images,
                                      const HessianOptions& options, const StageControl& control = {});

}  // namespace cleave::calibration
