#pragma once

#include <string>

#include "exec/fake_quantize.h"
#include "graph/graph.h"
#include "quant/calibration_table.h"
#include "quant/channel_bits.h"
#include "quant/clip.h"

namespace cleave::evaluation {

/// What has a weight scale of its own.
enum class WeightsPer { kChannel, kTensor };

/// A network quantized throughout at one pair of bit-widths.
struct UniformOptions {
  int weight_bits = 8;
  int activation_bits = 8;
  int keep_first_last_bits = 0;  ///< of the first and last unit with weights and of what they read; 0: no exception
  quant::ClipMethod clip = quant::ClipMethod::kAuto;
  quant::BitRule channel_bits = quant::BitRule::kUniform;  ///< of all but the first and last unit, if those are kept
  WeightsPer weights_per = WeightsPer::kChannel;           ///< kTensor wants the uniform rule
};

/// "W4A8" (32 allowed: unquantized). Throws Error(kUsage).
UniformOptions uniform_from_text(const std::string& text);
/// "channel" or "tensor". Throws Error(kUsage).
WeightsPer weights_per_from_text(const std::string& text);

/// Every unit on the edge. Activation bits are those of what convolutions and matrix products read, as is usual in the
/// literature; what is only added, pooled or resized has 8 bits at least, and so have network inputs (they are pixels).
/// Network outputs stay float.
/// Throws Error(kUsage) for bits per channel with one scale per tensor, Error(kStale) when the table does not know a
/// tensor of the graph, Error(kInvalidInput) when it lacks shards.
exec::QuantizationSpec uniform_spec(const graph::Graph& graph, const quant::CalibrationTable& table,
                                    const UniformOptions& options);

}  // namespace cleave::evaluation
