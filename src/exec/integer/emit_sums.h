#pragma once

#include <functional>

#include "exec/integer/epilogue.h"

namespace cleave::exec::integer {

/// A convolution or product of codes, and where its result goes.
struct Sums {
  const CodedTensor& source;
  const WeightCodes& weights;
  const Epilogue& epilogue;
  Layout layout = Layout::kChannelsLast;  ///< of source and result
  graph::TensorId result = graph::TensorId::kNone;
};

/// Emits the kernel with this epilogue and result; false when it cannot.
using SumEmitter = std::function<bool(const Epilogue& epilogue, graph::TensorId result)>;

/// Emits it by oneDNN where its sums are exact on this CPU, else by the own kernels. Codes behind a SiLU, and behind a
/// LeakyRelu of the own kernels, are made by a step of their own from floats: one pass, with ONNX's division by the
/// scale. False when neither kernel can.
bool emit_sums(Compiler& compiler, const Sums& sums, const SumEmitter& by_dnnl, const SumEmitter& by_own);

}  // namespace cleave::exec::integer
