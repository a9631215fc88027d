#include <benchmark/benchmark.h>

#include <random>
#include <stdexcept>
#include <vector>

#include "quant/clip.h"
#include "quant/histogram.h"
#include "quant/packing.h"

namespace cleave::quant {
namespace {

std::vector<float> laplace_values(std::size_t count) {
  std::mt19937 random(1);
  std::exponential_distribution<float> magnitude(1.0F);
  std::vector<float> values(count);
  for (float& value : values) value = (random() & 1U) != 0 ? magnitude(random) : -magnitude(random);
  return values;
}

void AddToHistogram(benchmark::State& state) {
  const std::vector<float> values = laplace_values(1 << 20);
  FloatHistogram histogram;
  for (auto _ : state) histogram.add(values);
  if (histogram.total() != static_cast<std::uint64_t>(state.iterations()) * values.size()) {
    throw std::runtime_error("the histogram lost values");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(values.size() * sizeof(float)));
}
BENCHMARK(AddToHistogram);

void PackCodes(benchmark::State& state) {
  const Bits bits{static_cast<int>(state.range(0))};
  std::vector<std::uint8_t> codes(1 << 20);
  for (std::size_t i = 0; i < codes.size(); ++i)
    codes[i] = static_cast<std::uint8_t>(i * 7 & static_cast<std::size_t>(bits.max_unsigned()));
  if (unpack(pack(codes, bits), static_cast<std::int64_t>(codes.size()), bits) != codes) {
    throw std::runtime_error("packing lost codes");
  }
  for (auto _ : state) benchmark::DoNotOptimize(pack(codes, bits));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(codes.size()));
}
BENCHMARK(PackCodes)->DenseRange(2, 8, 2);

void ChooseWeights(benchmark::State& state) {
  const Bits bits{static_cast<int>(state.range(0))};
  const Tensor weights = Tensor::from<float>({256, 128, 3, 3}, laplace_values(256 * 128 * 9));
  const double least = choose_weights(weights, 0, bits, ClipMethod::kMse).mse;
  for (auto _ : state) {
    if (choose_weights(weights, 0, bits, ClipMethod::kMse).mse != least) throw std::runtime_error("not repeatable");
  }
  state.SetItemsProcessed(state.iterations() * weights.elements());
}
BENCHMARK(ChooseWeights)->Arg(2)->Arg(4)->Arg(8)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cleave::quant
