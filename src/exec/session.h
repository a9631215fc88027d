#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "graph/graph.h"

namespace cleave::exec {

/// kFast: oneDNN and vectorised kernels. kReference: naive loops, the same bits for any thread count; the oracle.
enum class Kernels { kFast, kReference };

struct SessionOptions {
  Kernels kernels = Kernels::kFast;
  int threads = 1;   ///< 0: all cores
  bool pin = false;  ///< during a run each thread of the pool stays on a CPU of its own
};

/// A float32 activation handed to an observer where it lies. Layout: [N][ceil(C/B)][spatial...][B] with
/// B = channel_block; B = 1 is plain row-major (any rank), B >= C is channels-last. Padded channels hold zeros.
struct ActivationView {
  graph::TensorId tensor;
  const float* data;
  const Shape& shape;  ///< logical: N, C, spatial...
  std::int64_t channel_block = 1;
};

/// Receives activations during a run; the data is only valid inside the call.
class ActivationObserver {
 public:
  virtual ~ActivationObserver() = default;
  virtual void observe(const ActivationView& activation) = 0;
};

/// Changes activations during a run, before any reader sees them. Elements come in any order.
class ActivationEditor {
 public:
  virtual ~ActivationEditor() = default;
  virtual void edit(graph::TensorId tensor, std::span<float> values) = 0;
};

/// One piece of work of a run.
struct StepTime {
  std::string op;      ///< of the node it runs; "Reorder" for a copy into another layout
  std::string kernel;  ///< which implementation: "brgconv:avx512_core"
  double begin_s = 0;  ///< on a clock that never goes back, the same for all sessions of the process
  double seconds = 0;
  std::int64_t bytes = 0;           ///< of the tensors it reads and writes; reordered weights left out
  DType reads = DType::kUndefined;  ///< element type of its first input
};

/// Time spent in one unit, and the steps it was spent in.
struct UnitTime {
  std::string name;
  std::string op;
  double seconds = 0;
  std::int64_t macs = 0;
  std::vector<StepTime> steps;
};

/// A graph that is compiled when it first runs: weights reordered once and shared by all sessions of the process
/// (WeightStore), activations in the kernels' preferred layouts, a static memory plan. A graph with control flow or
/// with shapes that depend on the data is compiled in stages, each when the shapes before it are known, and kept for
/// when they come again. One run at a time per session; sessions are independent.
class Session {
 public:
  /// `graph` has known input shapes (graph::prepare). Throws Error(kUnsupported) naming node, operator and reason.
  explicit Session(graph::Graph graph, const SessionOptions& options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  /// The network. Weights whose codes need at most 7 bits stand in it as packed bytes (PackedConstants).
  const graph::Graph& graph() const;

  /// Compiles what a run without taps needs now rather than in the first run.
  void compile();

  /// Inputs in graph order; types and shapes must match (Error(kInvalidInput) otherwise). Returns graph outputs.
  std::vector<Tensor> run(std::span<const Tensor> inputs);
  /// The same into the caller's tensors: those of the right type and shape whose bytes nobody else holds are written
  /// over, others are replaced (an empty vector is filled). In a loop over one vector, cleave allocates nothing unless
  /// it runs in stages.
  void run_into(std::span<const Tensor> inputs, std::vector<Tensor>& outputs);
  /// The same as run(inputs), and every float32 tensor in `taps` (network inputs, unit outputs) is handed to the
  /// observer once.
  std::vector<Tensor> run(std::span<const Tensor> inputs, std::span<const graph::TensorId> taps,
                          ActivationObserver& observer);
  void run_into(std::span<const Tensor> inputs, std::span<const graph::TensorId> taps, ActivationObserver& observer,
                std::vector<Tensor>& outputs);
  /// The same as run_into(inputs, outputs), and every float32 tensor in `edited` (unit outputs; not network inputs,
  /// which are the caller's) is handed to the editor once. A tensor that only renames another (Reshape) shares its
  /// values: what is done to it is done to the other. Throws Error(kUnsupported) for a graph that runs in stages.
  void run_edited(std::span<const Tensor> inputs, std::span<const graph::TensorId> edited, ActivationEditor& editor,
                  std::vector<Tensor>& outputs);
  /// A run that measures each unit; times in schedule order.
  std::vector<Tensor> run_timed(std::span<const Tensor> inputs, std::vector<UnitTime>& times);

  /// Bytes of the activation arena of a run without taps (peak of live tensors); of a staged graph, that of its first
  /// stage.
  std::int64_t arena_bytes();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Why this node cannot run here, or empty. For `cleave check`.
std::optional<std::string> unsupported_reason(const graph::Graph& graph, graph::NodeId node);

/// Names of all supported operators, sorted.
std::vector<std::string> supported_operators();

}  // namespace cleave::exec
