#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exec/fake_quantize.h"
#include "graph/graph.h"
#include "tune/sample_stream.h"

namespace cleave::tune {

/// One value per output channel.
using PerChannel = std::vector<double>;

/// A unit with weights, run on samples with other weights and biases than its own.
class UnitRuns {
 public:
  /// `unit` has constant weights and one float32 output. `grids`: the activations of the quantized network.
  UnitRuns(const graph::Graph& graph, std::size_t unit, const exec::ActivationQuantizers& grids);

  const graph::Unit& unit() const { return graph_.units()[0]; }
  const graph::Graph& graph() const { return graph_; }
  /// Weights and biases to run with, by fields of the spec; empty: the unit's own in float.
  using Parameters = exec::QuantizationSpec;

  /// The unit's output, rounded to its grid when `rounded`, per sample.
  std::vector<Tensor> outputs(const SampleStream& stream, const Parameters& parameters, bool rounded) const;
  /// The unit's sum alone: the output of the convolution or product, before anything that follows it in the unit.
  std::vector<Tensor> sums(const SampleStream& stream, const Parameters& parameters) const;

 private:
  std::vector<Tensor> run(const graph::Graph& network, const SampleStream& stream,
                          const exec::ActivationQuantizers& grids) const;
  graph::Graph graph_;  ///< the unit alone
  graph::Graph sums_;   ///< its main node alone
  exec::ActivationQuantizers grids_;
};

/// The channel axis of a unit's outputs and sums: 1, or the last of a matrix product. Empty when it has not `channels`.
std::optional<int> channel_axis(const graph::Graph& graph, const graph::Unit& unit, const Shape& shape,
                                std::int64_t channels);

/// Means over samples and positions, per channel of `axis`.
PerChannel channel_means(const std::vector<Tensor>& samples, int axis);
/// Sums of squared differences, per channel of `axis`.
PerChannel squared_errors(const std::vector<Tensor>& samples, const std::vector<Tensor>& targets, int axis);

}  // namespace cleave::tune
