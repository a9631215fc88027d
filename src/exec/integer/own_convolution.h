#pragma once

#include <cstdint>
#include <vector>

#include "exec/integer/epilogue.h"
#include "exec/kernels/int8/convolution.h"

namespace cleave::exec::integer {

/// A convolution or product for the kernels whose sums are exact on every CPU (kernels/int8).
struct OwnConvolution {
  const CodedTensor& source;
  const WeightCodes& weights;
  std::vector<std::int16_t> codes;  ///< of the weights, [out_channels][channels / groups][height][width]
  graph::TensorId bias = graph::TensorId::kNone;
  const Epilogue& epilogue;
  Layout layout = Layout::kChannelsLast;  ///< of source and result
  graph::TensorId result = graph::TensorId::kNone;
};

/// Emits it; false, when the epilogue does more than clamp.
bool emit_own_convolution(Compiler& compiler, const int8::ConvolutionShape& shape, const OwnConvolution& call);

}  // namespace cleave::exec::integer
