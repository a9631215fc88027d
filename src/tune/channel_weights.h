#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "graph/graph.h"

namespace cleave::tune {

/// The weights of a Conv or Gemm by the channels that they take in and put out, in double.
class ChannelWeights {
 public:
  /// Whether a unit is one: Conv, or Gemm without factors and with its input not transposed; a bias, where it has one,
  /// is a constant with an entry per output channel.
  static bool has(const graph::Graph& graph, const graph::Unit& unit);

  /// `unit` must be one (checked).
  ChannelWeights(const graph::Graph& graph, const graph::Unit& unit);

  std::int64_t inputs() const { return groups_ * group_inputs_; }
  std::int64_t outputs() const { return outputs_; }
  /// Each output channel looks at the input channel of the same number alone.
  bool depthwise() const { return group_inputs_ == 1 && groups_ == outputs_; }

  /// The largest |w| of each output or input channel.
  std::vector<double> output_ranges() const;
  std::vector<double> input_ranges() const;
  /// w /= factor of its output channel, the bias too; w *= factor of its input channel.
  void divide_outputs(std::span<const double> factors);
  void multiply_inputs(std::span<const double> factors);

  Tensor weights() const;  ///< float32, as the unit holds them
  Tensor bias() const;     ///< float32 [outputs]; empty without one

 private:
  std::int64_t output_of(std::size_t element) const;
  std::int64_t input_of(std::size_t element) const;

  Shape shape_;
  std::int64_t outputs_ = 0;
  std::int64_t groups_ = 1;
  std::int64_t group_inputs_ = 0;
  std::int64_t pixels_ = 1;
  bool inputs_first_ = false;  ///< [inputs, outputs]: Gemm without transB
  std::vector<double> values_;
  std::vector<double> bias_;
};

}  // namespace cleave::tune
