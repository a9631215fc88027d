#pragma once

#include <string>

#include "exec/fake_quantize.h"
#include "graph/graph.h"
#include "quant/calibration_table.h"
#include "quant/clip.h"

namespace cleave::evaluation {

/// A network quantized throughout at one pair of bit-widths.
struct UniformOptions {
  int weight_bits = 8;
  int activation_bits = 8;
  int keep_first_last_bits = 0;  ///< of the first and last unit with weights and of what they read; 0: no exception
  quant::ClipMethod clip = quant::ClipMethod::kAuto;
};

/// "W4A8" (32 allowed: unquantized). Throws Error(kUsage).
UniformOptions uniform_from_text(const std::string& text);

/// Every unit on the edge. Network inputs stay at 8 bits (they are pixels); network outputs stay float.
/// Throws Error(kStale) when the table does not know a tensor of the graph.
exec::QuantizationSpec uniform_spec(const graph::Graph& graph, const quant::CalibrationTable& table,
                                    const UniformOptions& options);

}  // namespace cleave::evaluation
