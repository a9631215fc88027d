#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "core/tensor.h"
#include "exec/packed_constants.h"
#include "graph/graph.h"

namespace cleave::exec {

/// Values of constants and of nodes all of whose inputs are constants (dequantized weights, ...), each unpacked or
/// computed when it is first asked for: what is read in another form (integer codes) never becomes floats. One thread
/// at a time.
class FoldedConstants {
 public:
  /// `packed` holds those of the graph's constants that are packed there. Both must outlive this.
  explicit FoldedConstants(const graph::Graph& graph, const PackedConstants* packed = nullptr);

  /// True for a constant of the graph and for what is computed from constants alone; false for ids outside the graph.
  bool known(graph::TensorId id) const { return index(id) < known_.size() && known_[index(id)]; }
  /// True when every input that is there is known.
  bool all_known(const graph::Node& node) const;
  /// Value of a constant, given by the graph, unpacked or computed; nullptr for activations. The pointer stays good
  /// until the next forget_large.
  const Tensor* value(graph::TensorId id) const;
  /// Drops what was unpacked or computed and takes more than 4 KiB; whoever asks again has it made again.
  void forget_large() const;
  /// Bytes of what was unpacked or computed and is still there.
  std::size_t held_bytes() const;

 private:
  void evaluate(const graph::Node& node) const;

  const graph::Graph* graph_;
  const PackedConstants* packed_;
  std::vector<bool> known_;                             ///< by tensor
  mutable std::map<graph::TensorId, Tensor> computed_;  ///< so far
};

}  // namespace cleave::exec
