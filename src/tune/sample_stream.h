#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "exec/rounding.h"
#include "graph/graph.h"
#include "tune/part.h"

namespace cleave::tune {

/// body(worker, i) for i in [0, count), on `workers` threads; each worker takes one index after the other.
void for_each_sample(std::size_t count, int workers, const std::function<void(int, std::size_t)>& body);

/// A set of samples on their way through a network: all stand before the same unit of the schedule, each with the
/// tensors that are alive there. Memory: the live tensors of every sample; nothing that lies behind is kept.
class SampleStream {
 public:
  /// `inputs`: one tensor per sample for the network's only input (Error(kUnsupported) when it has several); rounded to
  /// the input's grid when `grids` has one.
  SampleStream(const graph::Graph& graph, std::span<const Tensor> inputs, const exec::ActivationQuantizers& grids,
               int workers);

  std::size_t size() const { return live_.size(); }
  int workers() const { return workers_; }
  std::size_t position() const { return position_; }
  const Values& live(std::size_t sample) const { return live_[sample]; }

  /// Takes all samples through a part that begins at position().
  void advance(Part& part);
  /// The outputs of a part that begins at position(), per sample; the samples stay where they are.
  std::vector<std::vector<Tensor>> outputs_of(Part& part) const;

 private:
  const graph::Graph& graph_;
  int workers_;
  std::size_t position_ = 0;
  std::vector<Values> live_;
};

}  // namespace cleave::tune
