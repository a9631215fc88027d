#include "exec/staged/staged_session.h"

#include <algorithm>

#include "core/check.h"
#include "core/error.h"
#include "exec/staged/first_stage.h"

namespace cleave::exec {

using graph::Graph;
using graph::Node;
using graph::TensorId;

bool is_shaped(const graph::TensorInfo& info) {
  return info.ranked && info.dtype != DType::kUndefined &&
         std::all_of(info.shape.begin(), info.shape.end(), [](std::int64_t d) { return d >= 0; });
}

bool needs_stages(const Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [&](const Node& node) {
    return is_always_dynamic(node) || std::any_of(node.outputs.begin(), node.outputs.end(), [&](TensorId id) {
             return id != TensorId::kNone && !is_shaped(graph.tensor(id));
           });
  });
}

/// What is known of the whole graph's tensors during a run.
class StagedSession::Values {
 public:
  explicit Values(const Graph& graph) : graph_(graph), values_(graph.tensor_count()) {}

  void set(TensorId id, Tensor value) { values_[graph::index(id)] = std::move(value); }
  const Tensor& get(TensorId id) const {
    const Tensor* constant = graph_.constant(id);
    return constant == nullptr ? values_[graph::index(id)] : *constant;
  }
  /// A part's tensors go by the names that they have in the whole graph.
  std::vector<Tensor> inputs_of(const Graph& part) const {
    std::vector<Tensor> inputs;
    for (const TensorId id : part.inputs()) inputs.push_back(get(*graph_.find(part.tensor(id).name)));
    return inputs;
  }
  void take_outputs(const Graph& part, std::vector<Tensor> made) {
    for (std::size_t i = 0; i < made.size(); ++i) {
      set(*graph_.find(part.tensor(part.outputs()[i]).name), std::move(made[i]));
    }
  }

 private:
  const Graph& graph_;
  std::vector<Tensor> values_;
};

StagedSession::StagedSession(const Graph& graph, const SessionOptions& options) : graph_(graph) {
  FirstStage stage = take_first_stage(graph);
  if (stage.head) head_.emplace(std::move(*stage.head), options);
  if (stage.tail) tail_.emplace(std::move(*stage.tail), options);
  dynamic_ids_ = std::move(stage.dynamic);
  for (const graph::NodeId id : dynamic_ids_) dynamic_.push_back(make_dynamic_node(graph, id, options));
}

std::vector<Tensor> StagedSession::run(std::span<const Tensor> inputs, PartRunner& runner) {
  Values values(graph_);
  for (std::size_t i = 0; i < inputs.size(); ++i) values.set(graph_.inputs()[i], inputs[i]);
  if (head_) run_head(values, runner);
  for (std::size_t i = 0; i < dynamic_.size(); ++i) run_dynamic(i, values, runner);
  if (tail_) run_tail(values, runner);
  std::vector<Tensor> outputs;
  for (const TensorId id : graph_.outputs()) outputs.push_back(values.get(id));
  return outputs;
}

void StagedSession::run_head(Values& values, PartRunner& runner) {
  const Graph& part = head_->graph();
  values.take_outputs(part, runner.run(*head_, values.inputs_of(part)));
}

void StagedSession::run_dynamic(std::size_t i, Values& values, PartRunner& runner) {
  const Node& node = graph_.node(dynamic_ids_[i]);
  std::vector<Tensor> inputs;
  for (const TensorId id : node.inputs) inputs.push_back(id == TensorId::kNone ? Tensor{} : values.get(id));
  try {
    std::vector<Tensor> made = runner.run_node(node, [&] { return dynamic_[i]->run(inputs); });
    CLEAVE_CHECK(made.size() == node.outputs.size(), "a dynamic node makes one tensor per output");
    for (std::size_t o = 0; o < made.size(); ++o) {
      if (node.outputs[o] != TensorId::kNone) values.set(node.outputs[o], std::move(made[o]));
    }
  } catch (const Error& error) {
    const std::string where = "node '" + node.name + "' (" + node.op + ")";
    throw std::string_view(error.what()).starts_with(where) ? error : error.within(where);
  }
}

void StagedSession::run_tail(Values& values, PartRunner& runner) {
  const std::vector<Tensor> inputs = values.inputs_of(tail_->pattern());
  Session& session = tail_->session_for(inputs);
  values.take_outputs(session.graph(), runner.run(session, tail_->open_inputs(inputs)));
}

}  // namespace cleave::exec
