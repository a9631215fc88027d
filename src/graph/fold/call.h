#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "graph/graph.h"

namespace cleave::graph::fold {

using Result = std::optional<std::vector<Tensor>>;

/// One node with the values of its inputs.
struct Call {
  const Graph& graph;
  const Node& node;
  std::vector<const Tensor*> in;  ///< nullptr where left out

  const Tensor* input(std::size_t i) const { return i < in.size() ? in[i] : nullptr; }
  /// The i-th value. Throws when it is left out.
  const Tensor& need(std::size_t i) const;
  /// An integer list given as input i or, in older opsets, as an attribute; empty when neither is there.
  std::optional<std::vector<std::int64_t>> list(std::size_t i, const std::string& attribute) const;
  /// Throws Error(kInvalidInput) naming the node.
  [[noreturn]] void fail(const std::string& what) const;
  /// An axis in [0, rank). Throws when it is outside.
  std::size_t axis(std::int64_t value, std::size_t rank) const;
  /// True when a result of this shape is small enough to be kept.
  bool affordable(const Shape& shape) const;
};

/// Integers of an int64 or int32 tensor.
std::optional<std::vector<std::int64_t>> integers_of(const Tensor& tensor);

/// A strided look at a tensor; offset and strides in elements.
struct View {
  Shape shape;
  std::int64_t offset = 0;
  std::vector<std::int64_t> strides;
};

View whole(const Shape& shape);
/// The view stretched to `shape` by ONNX's broadcasting. Throws through `call` when it does not fit.
View stretched(const Call& call, View view, const Shape& shape);
/// The shape that all broadcast to.
Shape broadcast_shape(const Call& call, const Shape& a, const Shape& b);
/// A dense tensor of what the view shows.
Tensor copy_view(const Tensor& tensor, const View& view);

// Evaluators by kind; each returns empty when it cannot.
Result shape_of(const Call& call);  ///< Shape, Size: the graph's shape of the input, no value needed
Result identity(const Call& call);
Result constant_of_shape(const Call& call);
Result range(const Call& call);
Result reshape(const Call& call);
Result flatten(const Call& call);
Result squeeze(const Call& call);
Result unsqueeze(const Call& call);
Result transpose(const Call& call);
Result slice(const Call& call);
Result gather(const Call& call);
Result concat(const Call& call);
Result split(const Call& call);
Result expand(const Call& call);
Result tile(const Call& call);
Result cast(const Call& call);
Result unary(const Call& call);
Result binary(const Call& call);
Result compare(const Call& call);
Result logic(const Call& call);
Result where(const Call& call);
Result reduce(const Call& call);

}  // namespace cleave::graph::fold
