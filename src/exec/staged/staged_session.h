#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "exec/session.h"
#include "exec/staged/dynamic_node.h"
#include "exec/staged/part_runner.h"
#include "exec/staged/session_cache.h"
#include "graph/graph.h"

namespace cleave::exec {

/// True when type and every dimension are known.
bool is_shaped(const graph::TensorInfo& info);

/// True for a graph that cannot be compiled as a whole: a shape depends on the data, or a node holds graphs to run.
bool needs_stages(const graph::Graph& graph);

/// Runs a graph in stages: what can be compiled now, the nodes that show new shapes, and the rest, compiled for these
/// shapes and kept for when they come again (first_stage.h).
class StagedSession {
 public:
  /// Input shapes of `graph` are known; it must outlive this object.
  /// Throws Error(kUnsupported) naming node, operator and reason.
  StagedSession(const graph::Graph& graph, const SessionOptions& options);

  /// Inputs have the graph's types and shapes (the caller checks). Returns graph outputs.
  std::vector<Tensor> run(std::span<const Tensor> inputs, PartRunner& runner);

  /// Compiles the part whose shapes are known beforehand.
  void compile() {
    if (head_) head_->compile();
  }
  /// Of that part.
  std::int64_t arena_bytes() { return head_ ? head_->arena_bytes() : 0; }

 private:
  class Values;

  void run_head(Values& values, PartRunner& runner);
  void run_dynamic(std::size_t i, Values& values, PartRunner& runner);
  void run_tail(Values& values, PartRunner& runner);

  const graph::Graph& graph_;
  std::optional<Session> head_;
  std::vector<graph::NodeId> dynamic_ids_;
  std::vector<std::unique_ptr<DynamicNode>> dynamic_;
  std::optional<SessionCache> tail_;
};

}  // namespace cleave::exec
