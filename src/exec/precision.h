#pragma once

#include <span>
#include <string>

#include "graph/graph.h"
#include "quant/calibration_table.h"
#include "quant/clip.h"

namespace cleave::exec {

/// In what numbers a whole network runs: MagicMind's six modes.
enum class Precision {
  kForceFloat32,
  kForceFloat16,
  kQint8MixedFloat16,
  kQint8MixedFloat32,
  kQint16MixedFloat16,
  kQint16MixedFloat32,
};

/// The ordered table of modes: name as on the command line, one line for people.
struct PrecisionRow {
  Precision precision;
  const char* name;
  int code_bits;  ///< of what convolutions and matrix products multiply; 0: floats
  bool halves;    ///< everything else is float16
  const char* what;
};
std::span<const PrecisionRow> precisions();
const PrecisionRow& precision_row(Precision precision);
/// Throws Error(kUsage) with the list and "did you mean".
Precision precision_from_name(const std::string& name);

/// Where the ranges of quantized activations come from.
struct PrecisionRanges {
  const quant::CalibrationTable* table = nullptr;  ///< needed by the quantized modes
  quant::ClipMethod clip = quant::ClipMethod::kAuto;
};

/// The network in that precision, in standard operators of its own opset: it can be run here or written as ONNX.
/// Inputs and outputs stay float32.
///
/// code_bits 8   What Conv, ConvTranspose, Gemm and MatMul read is rounded to codes: activations to uint8 per tensor
///               with a zero point (QuantizeLinear, DequantizeLinear), constant weights to int8 per output channel,
///               both clipped by `clip`. Biases stay floats. Codes are multiplied as integers and summed in int32.
/// code_bits 16  The same with the symmetric grid clamp(rne(x / s), -32767, 32767) s and s = max|x| / 32767, weights
///               per channel. Values on the grid are multiplied and summed as float32: a product of two codes needs 30
///               bits and gets 24, a relative error of 2^-24 where the grid itself has one of 2^-16 of the largest
///               value.
/// halves        Every other result is rounded to float16 and back (Cast), network inputs and constants too. Sums are
///               float32 inside an operator. Nothing is rounded where that changes nothing (operators that only move or
///               choose values; in front of a Relu or Clip, as it is done behind), nor where only codes are made of
///               the result: those are made of the sums.
///
/// Nodes that read `t` in another precision read "t::quantized" or "t::half" (network inputs); a result that is
/// rounded to float16 keeps its name behind the rounding and is "t::float" before it.
/// Throws Error(kUnsupported) for a graph with quantization of its own, control flow or unknown shapes;
/// Error(kStale) when the table is not of this graph; Error(kInvalidInput) when a quantized mode has no table.
graph::Graph with_precision(const graph::Graph& graph, Precision precision, const PrecisionRanges& ranges = {});

}  // namespace cleave::exec
