#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "exec/session.h"
#include "graph/graph.h"

namespace cleave::cli {

/// What `run`, `evaluate` and `bench` work on: a model or a bundle, run alike.
class Target {
 public:
  virtual ~Target() = default;
  virtual std::vector<Tensor> run(const std::vector<Tensor>& inputs) = 0;
  /// The same into tensors that are written over (Session::run_into), for loops.
  virtual void run_into(const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs) = 0;
  /// The same, with the time of each unit (of both halves of a bundle, edge first).
  virtual std::vector<Tensor> run_timed(const std::vector<Tensor>& inputs, std::vector<exec::UnitTime>& times) = 0;
  /// Network inputs: names, types, shapes.
  virtual std::vector<graph::TensorInfo> inputs() const = 0;
  virtual std::vector<std::string> output_names() const = 0;
};

/// Opens a model (.onnx) or a bundle folder. Each call gives an independent runner over shared weights.
std::function<std::unique_ptr<Target>()> open_target(const std::string& path, const std::vector<std::string>& shapes,
                                                     const exec::SessionOptions& options);

/// Opens a model to run batches of this many samples (exec::BatchedSession). Throws Error(kUnsupported) for a bundle,
/// whose edge part takes one image at a time.
std::unique_ptr<Target> open_batched(const std::string& path, const std::vector<std::string>& shapes,
                                     std::int64_t batch, const exec::SessionOptions& options);

/// Runs a graph that is at hand.
std::function<std::unique_ptr<Target>()> open_graph(const graph::Graph& graph, const exec::SessionOptions& options);

/// The graph of a plain model, for an option that bundles do not have: Error(kUsage) names it.
graph::Graph load_plain_graph(const std::string& target, const std::vector<std::string>& shapes,
                              const std::string& option);

/// "fast" or "reference". Throws Error(kUsage).
exec::Kernels kernels_from_name(const std::string& name);

}  // namespace cleave::cli
