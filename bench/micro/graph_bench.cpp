// How the time to prepare a network grows with its nodes.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "graph/builder.h"
#include "graph/prepare.h"

namespace cleave::graph {
namespace {

Tensor filled_tensor(Shape shape, float value) {
  const auto count = static_cast<std::size_t>(element_count(shape));
  return Tensor::from<float>(std::move(shape), std::vector<float>(count, value));
}

/// Conv, BatchNormalization, Identity, Relu over and over.
Graph chain(std::int64_t nodes) {
  GraphBuilder builder;
  TensorId x = builder.input("x", DType::kFloat32, {1, 8, 8, 8});
  const TensorId w = builder.constant("w", filled_tensor({8, 8, 1, 1}, 0.1F));
  const TensorId k = builder.constant("k", filled_tensor({8}, 1.0F));
  for (std::int64_t i = 0; i < nodes / 4; ++i) {
    const std::string n = std::to_string(i);
    const TensorId c = builder.node("Conv", {x, w}, {"c" + n})[0];
    const TensorId b = builder.node("BatchNormalization", {c, k, k, k, k}, {"b" + n})[0];
    const TensorId d = builder.node("Identity", {b}, {"d" + n})[0];
    x = builder.node("Relu", {d}, {"r" + n})[0];
  }
  builder.output(x);
  return builder.build();
}

void PrepareChain(benchmark::State& state) {
  const Graph raw = chain(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(prepare(raw).nodes().size());
  state.SetComplexityN(state.range(0));
}
BENCHMARK(PrepareChain)->RangeMultiplier(2)->Range(250, 2000)->Complexity()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cleave::graph
