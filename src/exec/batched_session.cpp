#include "exec/batched_session.h"

#include "core/error.h"
#include "graph/prepare.h"

namespace cleave::exec {
namespace {

graph::PrepareOptions shapes_for(const graph::Graph& graph, std::int64_t batch) {
  graph::PrepareOptions options;
  for (const graph::TensorId id : graph.inputs()) {
    const graph::TensorInfo& info = graph.tensor(id);
    if (info.shape.empty()) {
      throw Error(ErrorKind::kUnsupported, "input '" + info.name + "' has no dimension that could be the batch");
    }
    Shape shape = info.shape;
    shape.front() = batch;
    options.input_shapes[info.name] = shape;
  }
  return options;
}

std::int64_t batch_of(std::span<const Tensor> inputs) {
  std::int64_t batch = 0;
  for (const Tensor& input : inputs) {
    const std::int64_t own = input.shape().empty() ? 0 : input.shape().front();
    if (own < 1 || (batch != 0 && own != batch)) {
      throw Error(ErrorKind::kInvalidInput, "inputs of shape " + shape_text(inputs[0].shape()) + " and " +
                                                shape_text(input.shape()) + " are no batch of at least 1");
    }
    batch = own;
  }
  if (batch == 0) throw Error(ErrorKind::kInvalidInput, "no inputs given");
  return batch;
}

}  // namespace

BatchedSession::BatchedSession(graph::Model model, const SessionOptions& options)
    : model_(std::move(model)), options_(options) {
  shapes_for(model_.graph(), 1);
}

Session& BatchedSession::of(std::int64_t batch) {
  const auto known = by_batch_.find(batch);
  if (known != by_batch_.end()) return known->second;
  graph::Graph graph = graph::prepare(model_, shapes_for(model_.graph(), batch));
  return by_batch_.emplace(batch, Session(std::move(graph), options_)).first->second;
}

void BatchedSession::run_into(std::span<const Tensor> inputs, std::vector<Tensor>& outputs) {
  of(batch_of(inputs)).run_into(inputs, outputs);
}

}  // namespace cleave::exec
