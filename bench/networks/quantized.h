#pragma once

#include <map>

#include "graph/graph.h"
#include "quant/calibration_table.h"

namespace cleave::bench {

/// The network as a static quantizer writes it: QuantizeLinear and DequantizeLinear around every activation (uint8,
/// its whole range), int8 weights symmetric per output channel in [-127, 127], int32 biases; the outputs are quantized
/// too.
/// graph  prepared; `ranges` of the same network, at any batch.
graph::Graph quantized(const graph::Graph& graph, const quant::CalibrationTable& ranges);

}  // namespace cleave::bench
