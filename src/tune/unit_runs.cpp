#include "tune/unit_runs.h"

#include "core/check.h"
#include "exec/rounding.h"
#include "graph/builder.h"
#include "graph/part.h"
#include "quant/quantizer.h"

namespace cleave::tune {

using graph::Graph;
using graph::TensorId;

namespace {

Graph main_node_alone(const Graph& unit) {
  const graph::Node& main = unit.node(unit.units()[0].main);
  std::vector<std::string> inputs;
  for (const TensorId id : main.inputs) {
    if (id != TensorId::kNone && unit.constant(id) == nullptr) inputs.push_back(unit.tensor(id).name);
  }
  return graph::extract(unit, inputs, {unit.tensor(main.outputs[0]).name});
}

/// fold(channel, values of one run of that channel, where they begin) over all samples in order.
template <typename Fold>
void for_each_run(const Tensor& sample, int axis, const Fold& fold) {
  const auto layout = quant::ChannelLayout::of(sample.shape(), axis);
  const auto values = sample.data<float>();
  for (std::int64_t run = 0; run < layout.outer * layout.channels; ++run) {
    const auto begin = static_cast<std::size_t>(run * layout.inner);
    fold(static_cast<std::size_t>(run % layout.channels), values.subspan(begin, static_cast<std::size_t>(layout.inner)),
         begin);
  }
}

}  // namespace

UnitRuns::UnitRuns(const Graph& graph, std::size_t unit, const exec::ActivationQuantizers& grids)
    : graph_(graph::part_between(graph, unit, unit + 1)), sums_(main_node_alone(graph_)) {
  CLEAVE_CHECK(graph_.units().size() == 1, "a unit alone is one unit");
  for (const auto& [name, grid] : grids) {
    if (graph_.find(name)) grids_[name] = grid;
  }
}

void UnitRuns::run_graph(const Graph& network, const SampleStream& stream, const exec::ActivationQuantizers& grids,
                         const See& see) const {
  Part part(network, {0, network.units().size()}, grids, stream.workers());
  std::vector<std::vector<Tensor>> made(static_cast<std::size_t>(stream.workers()));
  for_each_sample(stream.size(), stream.workers(), [&](int worker, std::size_t i) {
    std::vector<Tensor>& outputs = made[static_cast<std::size_t>(worker)];
    part.run(worker, stream.live(i), outputs);
    see(i, outputs[0]);
  });
}

void UnitRuns::run(const SampleStream& stream, const Parameters& parameters, bool rounded, const See& see) const {
  run_graph(exec::with_rounded_weights(graph_, parameters), stream, rounded ? grids_ : exec::ActivationQuantizers{},
            see);
}

void UnitRuns::run_sums(const SampleStream& stream, const Parameters& parameters, const See& see) const {
  run_graph(exec::with_rounded_weights(sums_, parameters), stream, {}, see);
}

namespace {

/// Mean per channel over samples, added up in their order whatever the order in which they come.
class Means {
 public:
  Means(std::size_t samples, int axis, const UnitRuns::Counts& counts) : sums_(samples), axis_(axis), counts_(counts) {}

  void see(std::size_t i, const Tensor& output) {
    if (!counts_(i)) return;
    sums_[i] = channel_sums(output, axis_);
    const auto channels = static_cast<double>(sums_[i].size());
    for (double& sum : sums_[i]) sum /= static_cast<double>(output.elements()) / channels;
  }

  PerChannel mean() const {
    PerChannel total;
    double count = 0;
    for (const PerChannel& sample : sums_) {
      if (sample.empty()) continue;
      total.resize(sample.size());
      for (std::size_t c = 0; c < sample.size(); ++c) total[c] += sample[c];
      ++count;
    }
    for (double& x : total) x /= count;
    return total;
  }

 private:
  std::vector<PerChannel> sums_;
  int axis_;
  const UnitRuns::Counts& counts_;
};

}  // namespace

PerChannel UnitRuns::mean_outputs(const SampleStream& stream, const Parameters& parameters, int axis,
                                  const Counts& counts) const {
  Means means(stream.size(), axis, counts);
  run(stream, parameters, true, [&](std::size_t i, const Tensor& output) { means.see(i, output); });
  return means.mean();
}

PerChannel UnitRuns::mean_sums(const SampleStream& stream, const Parameters& parameters, int axis,
                               const Counts& counts) const {
  Means means(stream.size(), axis, counts);
  run_sums(stream, parameters, [&](std::size_t i, const Tensor& sum) { means.see(i, sum); });
  return means.mean();
}

std::optional<int> channel_axis(const Graph& graph, const graph::Unit& unit, const Shape& shape,
                                std::int64_t channels) {
  const std::string& op = graph.node(unit.main).op;
  const bool is_product = op == "Gemm" || op == "MatMul";
  const auto axis = static_cast<std::size_t>(is_product ? shape.size() - 1 : 1);
  if (shape.empty() || axis >= shape.size() || shape[axis] != channels) return std::nullopt;
  return static_cast<int>(axis);
}

PerChannel channel_sums(const Tensor& sample, int axis) {
  PerChannel sums(static_cast<std::size_t>(sample.shape()[static_cast<std::size_t>(axis)]));
  for_each_run(sample, axis, [&sums](std::size_t channel, std::span<const float> run, std::size_t) {
    double sum = 0;
    for (const float x : run) sum += static_cast<double>(x);
    sums[channel] += sum;
  });
  return sums;
}

PerChannel squared_errors(const Tensor& sample, const Tensor& target, int axis) {
  PerChannel sums(static_cast<std::size_t>(sample.shape()[static_cast<std::size_t>(axis)]));
  const auto wanted = target.data<float>();
  for_each_run(sample, axis, [&](std::size_t channel, std::span<const float> run, std::size_t begin) {
    double sum = 0;
    for (std::size_t k = 0; k < run.size(); ++k) {
      const double d = static_cast<double>(run[k]) - static_cast<double>(wanted[begin + k]);
      sum += d * d;
    }
    sums[channel] += sum;
  });
  return sums;
}

}  // namespace cleave::tune
