#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "graph/builder.h"

namespace cleave::bench {

/// A feature map, or a row of numbers, under way.
struct Feature {
  graph::TensorId tensor{};
  std::int64_t channels = 0;
};

/// Geometry of a square convolution; it pads by half its kernel, which keeps the size at stride 1.
struct ConvShape {
  std::int64_t channels = 0;  ///< out
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t groups = 1;
};

/// Geometry of a square pooling window.
struct PoolShape {
  std::int64_t kernel = 2;
  std::int64_t stride = 2;
  std::int64_t pad_before = 0;
  std::int64_t pad_after = 0;
  bool ceil = false;  ///< a last window that reaches over the edge counts
};

/// Variance of a layer's weights times its inputs per output (He et al., ICCV 2015): the second moment stays what it
/// was behind a rectifier, behind nothing, and grows by a quarter where a residual branch is added.
inline constexpr double kBeforeRelu = 2;
inline constexpr double kLinear = 1;
inline constexpr double kBranch = 0.25;

/// Writes layers as framework exports have them: convolution and batch norm apart, a symbolic batch.
///
/// Every layer has the name it is given, and so has its output; an activation adds its own to its input's. Weights are
/// seeded, uniform, of variance gain / (inputs per output); batch norms are near the identity: so activations neither
/// vanish nor explode. The same bytes everywhere.
class LayerWriter {
 public:
  explicit LayerWriter(const std::string& name);

  /// The network's input "input", three channels.
  Feature image(std::int64_t side);
  Feature conv(const std::string& name, Feature x, const ConvShape& shape, double gain);
  Feature biased_conv(const std::string& name, Feature x, const ConvShape& shape, double gain);
  /// conv, then the batch norm "NAME.norm".
  Feature conv_norm(const std::string& name, Feature x, const ConvShape& shape, double gain);
  /// A fully connected layer with a bias; x is flat.
  Feature linear(const std::string& name, Feature x, std::int64_t channels, double gain);

  Feature relu(Feature x) { return activation("Relu", ".relu", x); }
  Feature relu6(Feature x);
  /// Slope 0.1 below zero.
  Feature leaky_relu(Feature x) { return activation("LeakyRelu", ".leaky", x, {{"alpha", 0.1F}}); }

  Feature max_pool(const std::string& name, Feature x, const PoolShape& shape);
  Feature add(const std::string& name, Feature a, Feature b);
  Feature concat(const std::string& name, const std::vector<Feature>& parts);
  /// Twice the side, each pixel four times.
  Feature upsample(const std::string& name, Feature x);
  /// Channels times pixels numbers in a row; `pixels` is height times width.
  Feature flatten(const std::string& name, Feature x, std::int64_t pixels);
  Feature global_pool(const std::string& name, Feature x);

  /// Makes x an output of this shape behind the batch.
  void output(Feature x, Shape shape);
  graph::Graph finish() { return builder_.build(); }

 private:
  graph::TensorId layer(const std::string& op, const std::string& name, const std::vector<graph::TensorId>& inputs,
                        std::map<std::string, graph::AttributeValue> attributes = {});
  Feature activation(const std::string& op, const std::string& suffix, Feature x,
                     std::map<std::string, graph::AttributeValue> attributes = {});
  Feature convolve(const std::string& name, Feature x, const ConvShape& shape, double gain, bool biased);
  graph::TensorId uniform(const std::string& name, const Shape& shape, double low, double high);
  graph::TensorId weights(const std::string& name, const Shape& shape, double gain);

  graph::GraphBuilder builder_;
  std::mt19937 random_{1};
};

}  // namespace cleave::bench
