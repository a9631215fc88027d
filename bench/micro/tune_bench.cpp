#include <benchmark/benchmark.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "tune/hessian_sum.h"

namespace cleave::tune {
namespace {

/// channels, groups, side of the kernel, pixels of a side; padded so that the output has as many.
ColumnGeometry square(const benchmark::State& state) {
  ColumnGeometry geometry;
  geometry.channels = state.range(0);
  geometry.groups = state.range(1);
  geometry.window.kernel = {1, state.range(2), state.range(2)};
  geometry.window.input = geometry.window.output = {1, state.range(3), state.range(3)};
  geometry.window.pad_begin = geometry.window.pad_end = {0, state.range(2) / 2, state.range(2) / 2};
  return geometry;
}

/// One sample into the Hessians of a convolution. Counts the multiply-adds of the upper half.
void AddToHessian(benchmark::State& state) {
  const ColumnGeometry geometry = square(state);
  const std::vector<float> sample(static_cast<std::size_t>(geometry.sample_elements()), 0.5F);
  HessianSum sum(geometry);
  for (auto _ : state) sum.add(sample);
  const auto centre = static_cast<std::size_t>(geometry.inputs() / 2);
  const double expected = 2 * 0.25;  // of the entry that never sees padding when the kernel's side is odd
  const double got = sum.hessian()[centre * static_cast<std::size_t>(geometry.inputs()) + centre];
  if (geometry.inputs() % 2 == 1 && std::abs(got - expected) > 1e-6) throw std::runtime_error("a wrong sum");
  const auto inputs = static_cast<double>(geometry.inputs());
  const double macs = inputs * (inputs + 1) / 2 * static_cast<double>(geometry.groups) *
                      static_cast<double>(geometry.window.output_pixels());
  state.counters["macs/s"] = benchmark::Counter(macs, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(AddToHessian)
    ->Args({3, 1, 3, 112})
    ->Args({64, 1, 3, 56})
    ->Args({256, 1, 1, 56})
    ->Args({256, 1, 3, 14})
    ->Args({512, 1, 3, 7})
    ->Args({1280, 1, 1, 1})
    ->Args({96, 96, 3, 56})
    ->Args({960, 960, 3, 7})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cleave::tune
