#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "graph/builder.h"

namespace cleave::bench {

/// Geometry of a square convolution; padding keeps the size at stride 1.
struct ConvShape {
  std::int64_t channels_in = 0;
  std::int64_t channels_out = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t group = 1;
};

/// Writes layers as framework exports have them: batch norms folded into the convolutions, a symbolic batch.
///
/// Weights are seeded, uniform with variance gain / fan_in (He et al., ICCV 2015: gain 2 before a ReLU), so that
/// activations neither vanish nor explode; the same bytes everywhere.
class LayerWriter {
 public:
  explicit LayerWriter(const std::string& name);

  graph::TensorId image(std::int64_t height, std::int64_t width);
  graph::TensorId conv(graph::TensorId x, const ConvShape& shape, double gain);
  graph::TensorId relu(graph::TensorId x) { return layer("Relu", {x}); }
  graph::TensorId relu6(graph::TensorId x);
  graph::TensorId add(graph::TensorId a, graph::TensorId b) { return layer("Add", {a, b}); }
  graph::TensorId max_pool_3x3_stride_2(graph::TensorId x);
  /// Global average pool, Flatten, Gemm: `classes` scores, the network's output "logits".
  graph::Graph classify(graph::TensorId x, std::int64_t channels, std::int64_t classes);
  /// Ends the network with this tensor, of this shape behind the batch.
  graph::Graph finish(graph::TensorId x, Shape shape);

 private:
  graph::TensorId layer(const std::string& op, const std::vector<graph::TensorId>& inputs,
                        std::map<std::string, graph::AttributeValue> attributes = {});
  graph::TensorId weights(const std::string& name, const Shape& shape, double variance);

  graph::GraphBuilder builder_;
  std::mt19937 random_{1};
  int layers_ = 0;
};

}  // namespace cleave::bench
