#pragma once

#include <span>
#include <string>
#include <vector>

#include "exec/staged/session_cache.h"
#include "graph/graph.h"

namespace cleave::exec {

/// A graph that a node holds, ready to run for any input shapes. Captured tensors that are constants of the graph
/// around are constants inside.
class Subgraph {
 public:
  /// `around`: the graph that holds `node`; `key`: the attribute. Throws Error(kInvalidInput) when it is missing.
  Subgraph(const graph::Graph& around, const graph::Node& node, const std::string& key, const SessionOptions& options);

  std::size_t formal_inputs() const { return formal_inputs_; }
  std::size_t outputs() const { return sessions_.pattern().outputs().size(); }

  /// `formal`: its own inputs; `node_inputs`: all inputs of the node, the captured ones last.
  std::vector<Tensor> run(std::vector<Tensor> formal, std::span<const Tensor> node_inputs);
  /// Zero-filled tensors like its results for such inputs; dimensions that only a run can tell are 0.
  std::vector<Tensor> results_without_run(std::vector<Tensor> formal, std::span<const Tensor> node_inputs);

 private:
  std::vector<Tensor> with_captured(std::vector<Tensor> formal, std::span<const Tensor> node_inputs) const;

  std::size_t formal_inputs_;
  std::vector<std::size_t> captured_;  ///< positions among the node's inputs of those that are no constants
  SessionCache sessions_;
};

}  // namespace cleave::exec
