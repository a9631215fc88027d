#pragma once

#include "exec/control/subgraph.h"
#include "exec/staged/dynamic_node.h"

namespace cleave::exec {

/// Runs its body for each slice of the scan inputs:
///
///     body: states, one slice of each scan input, captured values -> states, one slice of each scan output
///
/// Results: the last states, then the scan outputs stacked. At least one slice. Axes and directions as the attributes
/// say (opset 9 and later).
class Scan : public DynamicNode {
 public:
  /// Throws Error(kInvalidInput) for a body or attributes that do not fit the node.
  Scan(const graph::Graph& graph, const graph::Node& node, const SessionOptions& options);
  std::vector<Tensor> run(std::span<const Tensor> inputs) override;

 private:
  /// How one scan input or output is walked.
  struct Walk {
    std::int64_t axis = 0;  ///< negative: from the end
    bool backwards = false;
  };
  static std::vector<Walk> walks(const graph::Node& node, const std::string& side, std::size_t count);
  std::int64_t length_of(std::span<const Tensor> inputs) const;
  std::vector<Tensor> slices(std::span<const Tensor> inputs, std::int64_t at, std::int64_t length) const;
  std::vector<Tensor> results(std::vector<Tensor> states, std::vector<std::vector<Tensor>> scans) const;

  Subgraph body_;
  std::size_t states_;
  std::vector<Walk> in_;
  std::vector<Walk> out_;
};

}  // namespace cleave::exec
