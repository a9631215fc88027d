#include "tune/network_loss.h"

#include <algorithm>

#include "core/check.h"
#include "core/parallel.h"
#include "exec/rounding.h"
#include "tune/output_loss.h"

namespace cleave::tune {

namespace {

constexpr std::size_t kBlock = 16;  // samples between two looks at the limit

}  // namespace

NetworkLoss::NetworkLoss(const graph::Graph& graph, std::span<const Tensor> inputs,
                         std::span<const std::int64_t> labels, int workers)
    : graph_(graph), inputs_(inputs), labels_(labels), workers_(thread_count(workers)) {
  CLEAVE_CHECK(labels.empty() || labels.size() == inputs.size(), "a label per sample");
  const SampleStream stream(graph, inputs, {}, workers_);
  Part whole(graph, {0, graph.units().size()}, {}, workers_);
  reference_ = stream.outputs_of(whole);
}

double NetworkLoss::of(const exec::QuantizationSpec& spec, double limit) const {
  const SampleStream stream(graph_, inputs_, spec.activations, workers_);
  Part whole(exec::with_rounded_weights(graph_, spec), {0, graph_.units().size()}, spec.activations, workers_);
  return mean(limit, [&](int worker, std::size_t i) {
    std::vector<Tensor> outputs;
    whole.run(worker, stream.live(i), outputs);
    return outputs;
  });
}

double NetworkLoss::mean(double limit, const std::function<std::vector<Tensor>(int, std::size_t)>& outputs) const {
  const auto count = static_cast<double>(samples());
  std::vector<double> losses(samples());
  double sum = 0;
  for (std::size_t begin = 0; begin < samples() && sum <= limit * count; begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, samples());
    for_each_sample(end - begin, workers_, [&](int worker, std::size_t k) {
      const std::size_t i = begin + k;
      const std::vector<Tensor> made = outputs(worker, i);
      losses[i] = labels_.empty() ? output_damage(reference_[i], made) : cross_entropy(made[0], labels_[i]);
    });
    for (std::size_t i = begin; i < end; ++i) sum += losses[i];
  }
  return sum / count;
}

}  // namespace cleave::tune
