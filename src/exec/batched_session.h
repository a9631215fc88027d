#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "exec/session.h"
#include "graph/model.h"

namespace cleave::exec {

/// A network whose batch is chosen at each run: one compiled program per batch size, made when it first occurs, all
/// reading the same packed weights (WeightStore). The last batch of a set of pictures, which is smaller, costs a
/// program more and no weights more. One run at a time.
class BatchedSession {
 public:
  /// The first dimension of every network input is the batch; its other dimensions must be known.
  /// Throws Error(kUnsupported) when an input has no first dimension.
  BatchedSession(graph::Model model, const SessionOptions& options);

  /// Session::run_into with a batch of as many samples as the inputs hold; all inputs must hold equally many
  /// (Error(kInvalidInput)). Throws as graph::prepare does for a batch that the network cannot have (a Reshape with
  /// a fixed size inside).
  void run_into(std::span<const Tensor> inputs, std::vector<Tensor>& outputs);

  /// The session for a batch of this many samples, at least 1.
  Session& of(std::int64_t batch);

 private:
  graph::Model model_;
  SessionOptions options_;
  std::map<std::int64_t, Session> by_batch_;
};

}  // namespace cleave::exec
