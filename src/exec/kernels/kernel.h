#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "exec/kernels/layout.h"
#include "graph/graph.h"

namespace cleave::exec {

/// A tensor as a kernel reads it. Dense: plain, or channels-last where the operator's row allows it.
struct InputView {
  DType dtype = DType::kUndefined;  ///< kUndefined: an optional input that is left out
  Shape shape;
  Strides strides;
  const std::byte* data = nullptr;

  bool present() const { return dtype != DType::kUndefined; }
  std::int64_t elements() const { return element_count(shape); }
  template <typename T>
  const T* as() const {
    return reinterpret_cast<const T*>(data);
  }
};

/// A tensor as a kernel writes it. kUndefined: an optional output that is left out.
struct OutputView {
  DType dtype = DType::kUndefined;
  Shape shape;
  Strides strides;
  std::byte* data = nullptr;

  bool present() const { return dtype != DType::kUndefined; }
  std::int64_t elements() const { return element_count(shape); }
  template <typename T>
  T* as() const {
    return reinterpret_cast<T*>(data);
  }
};

/// One call of an operator on tensors.
struct KernelCall {
  const graph::Node& node;
  std::span<const InputView> inputs;
  std::span<const OutputView> outputs;

  /// inputs[i], or a view that is not present.
  const InputView& in(std::size_t i) const;
  const OutputView& out(std::size_t i = 0) const { return outputs[i]; }
};

using Kernel = void (*)(const KernelCall&);

/// A kernel whose results' shapes depend on the data: it makes its results itself. `call.outputs` is empty, inputs lie
/// plain. Returns one tensor per output of the node, an empty one where an optional output is left out.
/// Throws Error(kInvalidInput) naming the node for values that make no sense (an index outside, ...).
using FreeKernel = std::vector<Tensor> (*)(const KernelCall&);

/// A view of a tensor that lies plain.
InputView view_of(const Tensor& tensor);

/// Values of an int32 or int64 tensor (axes, shapes, pads).
std::vector<std::int64_t> integers_of(const InputView& view);
/// The same where there is about one per dimension.
DimList dims_of(const InputView& view);

/// The first element of a tensor of any number type.
double scalar_of(const InputView& view);

}  // namespace cleave::exec
