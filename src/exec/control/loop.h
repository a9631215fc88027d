#pragma once

#include "exec/control/subgraph.h"
#include "exec/staged/dynamic_node.h"

namespace cleave::exec {

/// Runs its body again and again:
///
///     body: iteration number, condition, carried values, captured values -> condition, carried values, scan outputs
///
/// until the trip count is reached or the condition is false; either may be left out. Carried values may change their
/// shape from one iteration to the next. Results: the last carried values, then each scan output stacked along a new
/// first axis.
class Loop : public DynamicNode {
 public:
  /// Throws Error(kInvalidInput) for a body that does not fit the node.
  Loop(const graph::Graph& graph, const graph::Node& node, const SessionOptions& options);
  std::vector<Tensor> run(std::span<const Tensor> inputs) override;

 private:
  std::vector<Tensor> formal_inputs(std::int64_t iteration, const std::vector<Tensor>& carried) const;
  std::vector<Tensor> results(std::vector<Tensor> carried, const std::vector<std::vector<Tensor>>& scans,
                              std::span<const Tensor> inputs);

  Subgraph body_;
  std::size_t carried_;  ///< how many values go from one iteration to the next
};

}  // namespace cleave::exec
