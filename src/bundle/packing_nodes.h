#pragma once

#include <string>

#include "graph/builder.h"
#include "quant/bits.h"
#include "quant/quantizer.h"

namespace cleave::bundle {

/// Appends the nodes that turn `codes` (uint8, any shape, each < 2^bits) into `port` (uint8, 1 x bytes) in the
/// LUT-groups layout of quant/packing.h:
///
///     per group:  Gather(group's bits, codes) -> Concat zeros up to whole bytes -> Reshape [1, bytes, k]
///                 -> Mul [1, 2^w, 4^w, ..] -> ReduceSum -> Cast uint8;      then Concat of the groups
///
/// All values are integers below 256 in float, so the bytes are exact. Standard operators of opset 13.
void add_packing(graph::GraphBuilder& builder, graph::TensorId codes, quant::Bits bits, const std::string& port);

/// Where a prologue writes: the tensor as the network knows it.
struct UnpackedTensor {
  std::string name;
  Shape shape;             ///< batch 1
  bool batchable = false;  ///< the first dimension is taken from the port
};

/// Appends the nodes that turn `port` (uint8, batch x bytes) into float values:
///
///     Cast int32 -> Split -> Gather(LUT [256, k]) -> Reshape [batch, -1] -> Slice -> Add -> Reshape -> Sub zero point
///     -> Mul scale
///
/// Source: LUT-groups recipe for cloud runtimes without bit operators; opset 13.
void add_unpacking(graph::GraphBuilder& builder, graph::TensorId port, const quant::AffineQuantizer& quantizer,
                   const UnpackedTensor& target);

}  // namespace cleave::bundle
