#pragma once

#include <cstdint>
#include <string>

#include "core/tensor.h"
#include "quant/quantizer.h"

namespace cleave::bundle {

/// One tensor on the wire.
struct WireTensor {
  std::string tensor;  ///< its name in the network
  std::string port;    ///< output of edge.onnx and input of cloud.onnx: "<tensor>" at 32 bits, else "<tensor>_packed"
  Shape shape;         ///< one sample (batch 1)
  quant::AffineQuantizer quantizer;  ///< bits 32: float, not quantized
  std::int64_t bytes = 0;            ///< per sample
};

}  // namespace cleave::bundle
