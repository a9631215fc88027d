#include "exec/batched_session.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "exec/batch_size.h"
#include "exec/fit_tensor.h"
#include "graph/sample_independence.h"

namespace cleave::exec {
namespace {

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

/// Adds the times of one more run of the same units.
void add_times(const std::vector<UnitTime>& more, std::vector<UnitTime>& times) {
  if (times.empty()) {
    times = more;
    return;
  }
  for (std::size_t i = 0; i < times.size(); ++i) {
    times[i].seconds += more[i].seconds;
    times[i].macs += more[i].macs;
    times[i].steps.insert(times[i].steps.end(), more[i].steps.begin(), more[i].steps.end());
  }
}

/// Samples begin at bytes of their own: not so where two values share one.
bool has_addressable_samples(const graph::Graph& graph) {
  const auto addressable = [&](graph::TensorId id) { return !is_packed(graph.tensor(id).dtype); };
  return std::all_of(graph.inputs().begin(), graph.inputs().end(), addressable) &&
         std::all_of(graph.outputs().begin(), graph.outputs().end(), addressable);
}

/// Sample n of a batch.
void copy_sample(const Tensor& batch, std::int64_t n, Tensor& one) {
  std::memcpy(one.mutable_raw().data(), batch.raw().data() + static_cast<std::size_t>(n) * one.bytes(), one.bytes());
}

Shape with_batch(Shape shape, std::int64_t batch) {
  shape.front() = batch;
  return shape;
}

/// A tensor for each of `like`, with another batch; what is there and fits stays.
void fit(std::span<const Tensor> like, std::int64_t batch, std::vector<Tensor>& tensors) {
  tensors.resize(like.size());
  for (std::size_t i = 0; i < like.size(); ++i) {
    fit_tensor(tensors[i], like[i].dtype(), with_batch(like[i].shape(), batch));
  }
}

}  // namespace

BatchedSession::BatchedSession(graph::Model model, const SessionOptions& options, std::map<std::string, Shape> shapes)
    : model_(std::move(model)), options_(options), shapes_(std::move(shapes)) {
  shapes_for(1);
}

graph::PrepareOptions BatchedSession::shapes_for(std::int64_t batch) const {
  graph::PrepareOptions options;
  for (const graph::TensorId id : model_.graph().inputs()) {
    const graph::TensorInfo& info = model_.graph().tensor(id);
    const auto given = shapes_.find(info.name);
    const Shape& shape = given != shapes_.end() ? given->second : info.shape;
    if (shape.empty()) {
      throw Error(ErrorKind::kUnsupported, "input '" + info.name + "' has no dimension that could be the batch");
    }
    options.input_shapes[info.name] = with_batch(shape, batch);
  }
  return options;
}

Session& BatchedSession::session_of(graph::Graph graph, std::int64_t batch) {
  return sessions_.emplace(batch, Session(std::move(graph), options_)).first->second;
}

BatchedSession::Way BatchedSession::way_of(std::int64_t batch) {
  if (const auto known = ways_.find(batch); known != ways_.end()) return known->second;
  graph::Graph graph = graph::prepare(model_, shapes_for(batch));
  if (batch > 1 && may_run_one_by_one(graph)) return ways_.emplace(batch, Way{1, way_of(1).session}).first->second;
  return ways_.emplace(batch, Way{batch, &session_of(std::move(graph), batch)}).first->second;
}

bool BatchedSession::may_run_one_by_one(const graph::Graph& graph) const {
  return has_free_batch() && has_addressable_samples(graph) && runs_better_one_by_one(graph) &&
         graph::has_independent_samples(graph);
}

bool BatchedSession::has_free_batch() const {
  const auto inputs = model_.graph().inputs();
  return std::all_of(inputs.begin(), inputs.end(), [&](graph::TensorId id) {
    const Shape& shape = model_.graph().tensor(id).shape;
    return shape.empty() || shape.front() < 0;
  });
}

const graph::Graph& BatchedSession::graph_of(std::int64_t batch) {
  return way_of(batch).session->graph();
}

template <typename RunOne>
void BatchedSession::run_one_by_one(std::span<const Tensor> inputs, std::vector<Tensor>& outputs,
                                    const RunOne& run_one) {
  const std::int64_t batch = inputs[0].shape().front();
  fit(inputs, 1, sample_inputs_);
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::size_t i = 0; i < inputs.size(); ++i) copy_sample(inputs[i], n, sample_inputs_[i]);
    run_one();
    if (n == 0) fit(sample_outputs_, batch, outputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto one = sample_outputs_[i].raw();
      std::memcpy(outputs[i].mutable_raw().data() + static_cast<std::size_t>(n) * one.size(), one.data(), one.size());
    }
  }
}

void BatchedSession::run_into(std::span<const Tensor> inputs, std::vector<Tensor>& outputs) {
  const std::int64_t batch = batch_of(inputs);
  const Way way = way_of(batch);
  if (way.samples_at_a_time == batch) return way.session->run_into(inputs, outputs);
  run_one_by_one(inputs, outputs, [&] { way.session->run_into(sample_inputs_, sample_outputs_); });
}

std::vector<Tensor> BatchedSession::run_timed(std::span<const Tensor> inputs, std::vector<UnitTime>& times) {
  const std::int64_t batch = batch_of(inputs);
  const Way way = way_of(batch);
  if (way.samples_at_a_time == batch) return way.session->run_timed(inputs, times);
  times.clear();
  std::vector<Tensor> outputs;
  run_one_by_one(inputs, outputs, [&] {
    std::vector<UnitTime> own;
    sample_outputs_ = way.session->run_timed(sample_inputs_, own);
    add_times(own, times);
  });
  return outputs;
}

}  // namespace cleave::exec
