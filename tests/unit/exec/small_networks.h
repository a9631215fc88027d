#pragma once

#include <string>
#include <vector>

#include "graph/builder.h"
#include "random_tensor.h"

namespace cleave::exec::testing {

/// GraphBuilder with layers whose shapes are worked out here; weights depend on the seed.
class NetworkBuilder {
 public:
  explicit NetworkBuilder(std::uint64_t seed) : numbers_(seed) { builder_.set_versions(14, 7); }

  graph::TensorId input(const Shape& shape);
  /// Padded so that stride 1 keeps the size (kernel odd).
  graph::TensorId conv(graph::TensorId x, std::int64_t channels, std::int64_t kernel, std::int64_t stride = 1,
                       std::int64_t group = 1);
  /// A node whose output has the shape of its first input.
  graph::TensorId like_first(const std::string& op, const std::vector<graph::TensorId>& inputs,
                             std::map<std::string, graph::AttributeValue> attributes = {});
  /// A node with one output of this shape.
  graph::TensorId shaped(const std::string& op, const std::vector<graph::TensorId>& inputs, const Shape& shape,
                         std::map<std::string, graph::AttributeValue> attributes = {});
  graph::TensorId clip(graph::TensorId x, float low, float high);
  graph::TensorId silu(graph::TensorId x) { return like_first("Mul", {x, like_first("Sigmoid", {x})}); }
  graph::TensorId batch_norm(graph::TensorId x);
  graph::TensorId concat(const std::vector<graph::TensorId>& parts);
  graph::TensorId max_pool(graph::TensorId x);
  graph::TensorId channel_shuffle(graph::TensorId x, std::int64_t groups);
  graph::TensorId constant(Tensor value);
  void output(graph::TensorId x) { builder_.output(x); }

  Shape shape(graph::TensorId x) { return builder_.tensor_at(x).shape; }
  Numbers& numbers() { return numbers_; }
  graph::GraphBuilder& builder() { return builder_; }
  graph::Graph build() { return builder_.build(); }

 private:
  Numbers numbers_;
  graph::GraphBuilder builder_;
};

/// conv1 -> Relu -> conv2 -> (+ conv1's Relu) -> Relu, all of one shape; tensors "x", "a", "b", "c", "sum", "y".
graph::Graph residual_block();

}  // namespace cleave::exec::testing
