#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "exec/session.h"
#include "graph/model.h"
#include "graph/prepare.h"

namespace cleave::exec {

/// A network whose batch is chosen at each run. Where samples are independent of each other and the batch's activations
/// would push each other out of the cache more than the weights would (batch_size.h), a batch runs sample by sample;
/// else there is one compiled program per batch size, made when it first occurs, all reading the same packed weights
/// (WeightStore): the last batch of a set of pictures, which is smaller, costs a program more and no weights more.
/// One run at a time.
class BatchedSession {
 public:
  /// The first dimension of every network input is the batch; its other dimensions must be known or stand in `shapes`,
  /// by input name, with any number for the batch. Throws Error(kUnsupported) when an input has no first dimension.
  BatchedSession(graph::Model model, const SessionOptions& options, std::map<std::string, Shape> shapes = {});

  /// Session::run_into with a batch of as many samples as the inputs hold; all inputs must hold equally many
  /// (Error(kInvalidInput)). Throws as graph::prepare does for a batch that the network cannot have (a Reshape with
  /// a fixed size inside).
  void run_into(std::span<const Tensor> inputs, std::vector<Tensor>& outputs);

  /// The same, with the time of each unit: of all samples together where they run one by one.
  std::vector<Tensor> run_timed(std::span<const Tensor> inputs, std::vector<UnitTime>& times);

  /// The prepared network that a batch of this many samples runs on, for all of it or for one sample: other first
  /// dimensions, the same names and types.
  const graph::Graph& graph_of(std::int64_t batch);

 private:
  /// What a batch of some size runs on: a session for all of it, or for each sample.
  struct Way {
    std::int64_t samples_at_a_time;
    Session* session;
  };
  Way way_of(std::int64_t batch);
  Session& session_of(graph::Graph graph, std::int64_t batch);
  template <typename RunOne>
  void run_one_by_one(std::span<const Tensor> inputs, std::vector<Tensor>& outputs, const RunOne& run_one);

  graph::PrepareOptions shapes_for(std::int64_t batch) const;
  bool may_run_one_by_one(const graph::Graph& graph) const;
  bool has_free_batch() const;

  graph::Model model_;
  SessionOptions options_;
  std::map<std::string, Shape> shapes_;
  std::map<std::int64_t, Session> sessions_;  ///< by the batch they are compiled for
  std::map<std::int64_t, Way> ways_;
  std::vector<Tensor> sample_inputs_;
  std::vector<Tensor> sample_outputs_;
};

}  // namespace cleave::exec
