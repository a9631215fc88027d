#include <benchmark/benchmark.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "exec/session.h"
#include "graph/model.h"
#include "graph/prepare.h"

namespace cleave::exec {
namespace {

graph::Graph example() {
  return graph::prepare(graph::Model::load(std::string(CLEAVE_SOURCE_DIR) + "/examples/model/signs.onnx"));
}

Tensor ramp(const Shape& shape) {
  Tensor tensor(DType::kFloat32, shape);
  const auto values = tensor.mutable_data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 17) / 8.0F - 1.0F;
  return tensor;
}

void require_equal(const Tensor& a, const Tensor& b) {
  for (std::size_t i = 0; i < a.data<float>().size(); ++i) {
    if (std::abs(a.data<float>()[i] - b.data<float>()[i]) > 1e-3F) throw std::runtime_error("kernels disagree");
  }
}

void RunExample(benchmark::State& state) {
  const graph::Graph graph = example();
  const std::vector<Tensor> inputs{ramp(graph.tensor(graph.inputs()[0]).shape)};
  Session session(graph, {Kernels::kFast, static_cast<int>(state.range(0))});
  require_equal(session.run(inputs)[0], Session(graph, {Kernels::kReference, 1}).run(inputs)[0]);
  for (auto _ : state) benchmark::DoNotOptimize(session.run(inputs));
}
BENCHMARK(RunExample)->Arg(1)->Arg(2)->Unit(benchmark::kMicrosecond)->UseRealTime();

void OpenSession(benchmark::State& state) {
  const graph::Graph graph = example();
  for (auto _ : state) Session(graph, {Kernels::kFast, 1}).compile();
}
BENCHMARK(OpenSession)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cleave::exec
