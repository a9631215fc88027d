#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "exec/session.h"
#include "graph/graph.h"

namespace cleave::exec {

/// A node that runs by itself, since only a run can tell the shapes of its results: control flow, operators whose
/// results' sizes depend on the data, and those whose shape is given as a value.
class DynamicNode {
 public:
  virtual ~DynamicNode() = default;
  /// `inputs`: one per input of the node, empty where it is left out. Returns one tensor per output, in the node's
  /// order. Throws Error(kInvalidInput) for values that make no sense; the caller names the node.
  virtual std::vector<Tensor> run(std::span<const Tensor> inputs) = 0;
};

/// `graph` must outlive the result. Throws Error(kInvalidInput) for subgraphs that do not fit their node.
std::unique_ptr<DynamicNode> make_dynamic_node(const graph::Graph& graph, graph::NodeId id,
                                               const SessionOptions& options);

/// True for operators that never run inside a compiled program: control flow and free kernels.
bool is_always_dynamic(const graph::Node& node);

}  // namespace cleave::exec
