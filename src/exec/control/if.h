#pragma once

#include "exec/control/subgraph.h"
#include "exec/staged/dynamic_node.h"

namespace cleave::exec {

/// Runs the branch that the condition names; branches may make results of different shapes.
class If : public DynamicNode {
 public:
  /// Throws Error(kInvalidInput) for branches that do not make what the node promises.
  If(const graph::Graph& graph, const graph::Node& node, const SessionOptions& options);
  std::vector<Tensor> run(std::span<const Tensor> inputs) override;

 private:
  Subgraph then_;
  Subgraph else_;
};

}  // namespace cleave::exec
