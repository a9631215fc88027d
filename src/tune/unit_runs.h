#pragma once

#include <functional>
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

  /// Calls see(sample, output) for each sample, from several threads: the unit's output, rounded to its grid when
  /// `rounded`.
  using See = std::function<void(std::size_t, const Tensor&)>;
  void run(const SampleStream& stream, const Parameters& parameters, bool rounded, const See& see) const;
  /// The same with the unit's sum alone: the output of the convolution or product, before anything that follows.
  void run_sums(const SampleStream& stream, const Parameters& parameters, const See& see) const;

  /// Means of the outputs, or of the sums, per channel of `axis`, over those samples that `counts` takes.
  using Counts = std::function<bool(std::size_t)>;
  PerChannel mean_outputs(const SampleStream& stream, const Parameters& parameters, int axis,
                          const Counts& counts) const;
  PerChannel mean_sums(const SampleStream& stream, const Parameters& parameters, int axis, const Counts& counts) const;

 private:
  void run_graph(const graph::Graph& network, const SampleStream& stream, const exec::ActivationQuantizers& grids,
                 const See& see) const;
  graph::Graph graph_;  ///< the unit alone
  graph::Graph sums_;   ///< its main node alone
  exec::ActivationQuantizers grids_;
};

/// The channel axis of a unit's outputs and sums: 1, or the last of a matrix product. Empty when it has not `channels`.
std::optional<int> channel_axis(const graph::Graph& graph, const graph::Unit& unit, const Shape& shape,
                                std::int64_t channels);

/// Sum over the channel's elements, and of squared differences to `target`, per channel of `axis`.
PerChannel channel_sums(const Tensor& sample, int axis);
PerChannel squared_errors(const Tensor& sample, const Tensor& target, int axis);

}  // namespace cleave::tune
