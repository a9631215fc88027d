#include "tune/sample_stream.h"

#include <atomic>
#include <set>

#include "core/check.h"
#include "core/error.h"
#include "core/parallel.h"
#include "graph/part.h"

namespace cleave::tune {

using graph::Graph;
using graph::TensorId;

void for_each_sample(std::size_t count, int workers, const std::function<void(int, std::size_t)>& body) {
  std::atomic<std::size_t> next{0};
  parallel_for(workers, workers, [&](std::int64_t worker) {
    try {
      for (std::size_t i = next++; i < count; i = next++) body(static_cast<int>(worker), i);
    } catch (...) {
      next = count;  // the others need not go on
      throw;
    }
  });
}

SampleStream::SampleStream(const Graph& graph, std::span<const Tensor> inputs, const exec::ActivationQuantizers& grids,
                           int workers)
    : graph_(graph), workers_(thread_count(workers)) {
  if (graph.inputs().size() != 1) {
    throw Error(ErrorKind::kUnsupported,
                "images feed one network input, this network has " + std::to_string(graph.inputs().size()));
  }
  const std::string& name = graph.tensor(graph.inputs()[0]).name;
  const auto grid = grids.find(name);
  for (const Tensor& input : inputs) {
    Tensor value = input.clone();
    if (grid != grids.end()) exec::round_to_grid(value.mutable_data<float>(), grid->second);
    live_.push_back({{name, std::move(value)}});
  }
}

void SampleStream::advance(Part& part) {
  CLEAVE_CHECK(part.units().first == position_, "a part begins where the samples stand");
  std::set<std::string> kept;
  for (const TensorId id : graph::live_before(graph_, part.units().last)) kept.insert(graph_.tensor(id).name);
  for_each_sample(size(), workers_, [&](int worker, std::size_t i) {
    std::vector<Tensor> made;
    part.run(worker, live_[i], made);
    for (std::size_t o = 0; o < made.size(); ++o) live_[i][part.outputs()[o]] = std::move(made[o]);
    std::erase_if(live_[i], [&kept](const auto& entry) { return !kept.contains(entry.first); });
  });
  position_ = part.units().last;
}

std::vector<std::vector<Tensor>> SampleStream::outputs_of(Part& part) const {
  CLEAVE_CHECK(part.units().first == position_, "a part begins where the samples stand");
  std::vector<std::vector<Tensor>> outputs(size());
  for_each_sample(size(), workers_, [&](int worker, std::size_t i) { part.run(worker, live_[i], outputs[i]); });
  return outputs;
}

}  // namespace cleave::tune
