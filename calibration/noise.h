#pragma once

#include "graph/graph.h"
#include "quant/calibration_table.h"

namespace cleave::calibration {

/// Activation statistics over two seeded noise inputs (exec/noise.h), where only times matter and no image is at hand.
/// The table knows tensors only: no model, no image.
quant::CalibrationTable calibrate_on_noise(const graph::Graph& graph);

}  // namespace cleave::calibration
