#pragma once

#include "core/json.h"
#include "exec/fake_quantize.h"
#include "graph/graph.h"

namespace cleave::exec {

/// {"bits", "scale", "zero_point"}; scale and zero point null at 32 bits.
Json quantizer_json(const quant::AffineQuantizer& quantizer);
/// Throws Error(kInvalidInput) for bits that are no bit-width, a scale that is not positive, a zero point that is no
/// code. Reads no other keys.
quant::AffineQuantizer quantizer_from_json(JsonReader& reader);

/// A whole spec: "edge_units" (names), "results_cross", "activations" and "wire" by tensor, "weights" by unit with
/// "axis", "bits", "scales", and, where given, "codes" and "bias" (base64 of int8 and of little-endian float32).
Json spec_json(const graph::Graph& graph, const QuantizationSpec& spec);
/// The inverse. Throws Error(kInvalidInput) for anything that spec_json does not write, Error(kStale) for units or
/// shapes that the graph does not have.
QuantizationSpec spec_from_json(JsonReader reader, const graph::Graph& graph);

}  // namespace cleave::exec
