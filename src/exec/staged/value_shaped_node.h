#pragma once

#include <vector>

#include "exec/staged/dynamic_node.h"
#include "exec/staged/session_cache.h"

namespace cleave::exec {

/// A node whose result's shape is given as a value that the run brings (Reshape, Slice, Range, ...): it is compiled for
/// the values that come.
class ValueShapedNode : public DynamicNode {
 public:
  ValueShapedNode(const graph::Graph& graph, graph::NodeId id, const SessionOptions& options);
  std::vector<Tensor> run(std::span<const Tensor> inputs) override;

 private:
  const graph::Node& node_;
  std::vector<std::size_t> positions_;  ///< by input of the small graph: where the node has it
  SessionCache sessions_;
};

}  // namespace cleave::exec
