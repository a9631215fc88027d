#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "exec/fake_quantize.h"
#include "graph/graph.h"
#include "tune/sample_stream.h"

namespace cleave::tune {

/// What the float network says about a set of samples, and how far others are from it: the mean over the samples of
/// output_damage, or of the cross-entropy where there are labels.
class NetworkLoss {
 public:
  static constexpr double kNoLimit = std::numeric_limits<double>::infinity();

  /// Keeps references to all three. labels: one per sample, or none.
  NetworkLoss(const graph::Graph& graph, std::span<const Tensor> inputs, std::span<const std::int64_t> labels,
              int workers);

  std::size_t samples() const { return inputs_.size(); }
  int workers() const { return workers_; }
  std::span<const Tensor> inputs() const { return inputs_; }

  /// Loss of the network under `spec`. Anything above `limit` stands for every loss above it.
  double of(const exec::QuantizationSpec& spec, double limit = kNoLimit) const;
  /// The same of outputs(worker, i), those of sample i in the order of graph::live_before at the network's end; called
  /// from several threads.
  double mean(double limit, const std::function<std::vector<Tensor>(int, std::size_t)>& outputs) const;

 private:
  const graph::Graph& graph_;
  std::span<const Tensor> inputs_;
  std::span<const std::int64_t> labels_;
  int workers_;
  std::vector<std::vector<Tensor>> reference_;
};

}  // namespace cleave::tune
