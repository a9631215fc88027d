#include "exec/staged/part_runner.h"

#include <algorithm>
#include <chrono>

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::TensorId;

/// Hands a part's activations on under the ids of the whole graph.
class Translator : public ActivationObserver {
 public:
  Translator(const Graph& part, const Graph& whole, ActivationObserver& observer)
      : part_(part), whole_(whole), observer_(observer) {}
  void observe(const ActivationView& seen) override {
    const TensorId id = *whole_.find(part_.tensor(seen.tensor).name);
    observer_.observe({id, seen.data, seen.shape, seen.channel_block});
  }

 private:
  const Graph& part_;
  const Graph& whole_;
  ActivationObserver& observer_;
};

}  // namespace

TappingRunner::TappingRunner(const Graph& whole, std::span<const TensorId> taps, ActivationObserver& observer)
    : whole_(whole), taps_(taps), observer_(observer) {}

void TappingRunner::show(TensorId id, const Tensor& value) {
  if (value.dtype() != DType::kFloat32 || std::find(taps_.begin(), taps_.end(), id) == taps_.end()) return;
  observer_.observe({id, value.data<float>().data(), value.shape(), 1});
}

std::vector<Tensor> TappingRunner::run(Session& part, std::span<const Tensor> inputs) {
  const Graph& graph = part.graph();
  std::vector<TensorId> here;
  for (const TensorId tap : taps_) {
    const auto id = graph.find(whole_.tensor(tap).name);
    if (id && graph.producer(*id)) here.push_back(*id);
  }
  Translator translator(graph, whole_, observer_);
  return part.run(inputs, here, translator);
}

std::vector<Tensor> TappingRunner::run_node(const graph::Node& node, const Work& work) {
  std::vector<Tensor> made = work();
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (node.outputs[i] != TensorId::kNone) show(node.outputs[i], made[i]);
  }
  return made;
}

std::vector<Tensor> TimingRunner::run(Session& part, std::span<const Tensor> inputs) {
  std::vector<UnitTime> times;
  std::vector<Tensor> made = part.run_timed(inputs, times);
  times_.insert(times_.end(), times.begin(), times.end());
  return made;
}

std::vector<Tensor> TimingRunner::run_node(const graph::Node& node, const Work& work) {
  const auto before = std::chrono::steady_clock::now();
  std::vector<Tensor> made = work();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - before;
  UnitTime& time = times_.emplace_back();
  time.name = node.name;
  time.op = node.op;
  time.seconds = passed.count();
  return made;
}

}  // namespace cleave::exec
