#include "tune/sample_stream.h"

#include <gtest/gtest.h>

#include <cmath>

#include "exec/fake_quantize.h"
#include "graph/part.h"
#include "networks.h"

namespace cleave::tune {
namespace {

using testing::plain_spec;
using testing::small_residual;
using testing::small_samples;

double largest_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.data<float>().size(); ++i) {
    largest = std::max(largest, std::abs(double{a.data<float>()[i]} - double{b.data<float>()[i]}));
  }
  return largest;
}

Tensor run_whole(const graph::Graph& graph, const Tensor& sample) {
  return exec::Session(graph).run(std::span(&sample, 1))[0];
}

TEST(SampleStream, UnitByUnitGivesWhatTheFakeQuantizedNetworkGives) {
  const graph::Graph graph = small_residual();
  const auto samples = small_samples(6);
  for (const int bits : {8, 4, 3}) {
    const exec::QuantizationSpec spec = plain_spec(graph, samples, bits, bits);
    const graph::Graph rounded = exec::with_rounded_weights(graph, spec);
    SampleStream stream(graph, samples, spec.activations, 2);
    for (std::size_t u = 0; u < graph.units().size(); ++u) {
      Part part(rounded, {u, u + 1}, spec.activations, stream.workers());
      stream.advance(part);
    }
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const Tensor expected = run_whole(exec::fake_quantize(graph, spec), samples[i]);
      EXPECT_LE(largest_difference(stream.live(i).at("y"), expected), 1e-4) << bits;
    }
  }
}

TEST(SampleStream, AnyPartInOneGoGivesTheSameAsItsUnits) {
  const graph::Graph graph = small_residual(3);
  const auto samples = small_samples(3);
  const exec::QuantizationSpec spec = plain_spec(graph, samples, 4, 4);
  const std::size_t end = graph.units().size();
  for (std::size_t cut = 1; cut < end; ++cut) {
    SampleStream stream(graph, samples, spec.activations, 1);
    Part head(graph, {0, cut}, spec.activations, 1);
    Part tail(graph, {cut, end}, spec.activations, 1);
    Part whole(graph, {0, end}, spec.activations, 1);
    const auto expected = stream.outputs_of(whole);
    stream.advance(head);
    const auto got = stream.outputs_of(tail);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      EXPECT_LE(largest_difference(got[i][0], expected[i][0]), 1e-5) << cut;
    }
  }
}

TEST(SampleStream, OtherGridsTakeEffectWithoutCompiling) {
  const graph::Graph graph = small_residual(4);
  const auto samples = small_samples(2);
  const exec::QuantizationSpec coarse = plain_spec(graph, samples, 8, 2);
  const exec::QuantizationSpec fine = plain_spec(graph, samples, 8, 8);
  const std::size_t end = graph.units().size();
  Part part(graph, {0, end}, coarse.activations, 1);
  part.set_grids(fine.activations);
  Part expected(graph, {0, end}, fine.activations, 1);
  const SampleStream stream(graph, samples, fine.activations, 1);
  EXPECT_EQ(largest_difference(stream.outputs_of(part)[1][0], stream.outputs_of(expected)[1][0]), 0);
}

TEST(LiveBefore, ASkipConnectionStaysAliveUntilItIsRead) {
  const graph::Graph graph = small_residual();
  const auto names = [&graph](std::size_t unit) {
    std::vector<std::string> all;
    for (const graph::TensorId id : graph::live_before(graph, unit)) all.push_back(graph.tensor(id).name);
    return all;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names(0), Names{"x"});
  EXPECT_EQ(names(1), Names{"a"});
  EXPECT_EQ(names(2), (Names{"a", "d"}));
  EXPECT_EQ(names(3), (Names{"a", "pw"}));
  EXPECT_EQ(names(4), Names{"r"});
  EXPECT_EQ(names(graph.units().size()), Names{"y"});
}

TEST(RoundToGrid, GivesTheQuantizersOwnValues) {
  const auto samples = small_samples(1, 9);
  for (const quant::AffineQuantizer grid :
       {quant::AffineQuantizer{0.07F, 3, quant::Bits{4}}, quant::AffineQuantizer{0.01F, 0, quant::Bits{2}},
        quant::AffineQuantizer{0.004F, 128, quant::Bits{8}}}) {
    Tensor values = samples[0].clone();
    exec::round_to_grid(values.mutable_data<float>(), grid);
    for (std::size_t i = 0; i < values.data<float>().size(); ++i) {
      ASSERT_EQ(values.data<float>()[i], grid.fake(samples[0].data<float>()[i]));
    }
  }
}

TEST(FakeQuantize, AGivenBiasReplacesTheUnitsOwn) {
  const graph::Graph graph = small_residual(5);
  const auto samples = small_samples(1);
  exec::QuantizationSpec spec = plain_spec(graph, samples, 8, 8);
  spec.biases["pw"] = Tensor::from<float>({8}, std::vector<float>(8, 0.25F));
  spec.biases["fc"] = Tensor::from<float>({5}, std::vector<float>{1, 2, 3, 4, 5});
  const Tensor fake = run_whole(exec::fake_quantize(graph, spec), samples[0]);
  const SampleStream stream(graph, samples, spec.activations, 1);
  Part part(exec::with_rounded_weights(graph, spec), {0, graph.units().size()}, spec.activations, 1);
  EXPECT_LE(largest_difference(stream.outputs_of(part)[0][0], fake), 1e-3);
  spec.biases.clear();
  EXPECT_GT(largest_difference(run_whole(exec::fake_quantize(graph, spec), samples[0]), fake), 0.5);
  spec.biases["add"] = Tensor::from<float>({8}, std::vector<float>(8, 0));
  EXPECT_ANY_THROW(exec::fake_quantize(graph, spec));
}

}  // namespace
}  // namespace cleave::tune
