#pragma once

#include "calibration/calibrate.h"

namespace cleave::calibration {

/// The table before the first image, or the checkpoint's where one is to be resumed and exists.
///
/// images  those of this run (after limit and shard).
/// Throws Error(kStale) when the checkpoint is of another model, graph, preprocessing, shard or image set.
quant::CalibrationTable start_table(const graph::Graph& graph, const std::string& model_sha256, const ImageSet& images,
                                    const CalibrateOptions& options);

}  // namespace cleave::calibration
