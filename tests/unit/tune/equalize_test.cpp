#include "tune/equalize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "exec/rounding.h"
#include "exec/session.h"
#include "graph/builder.h"
#include "graph/prepare.h"
#include "networks.h"
#include "support/shared.h"
#include "tune/channel_weights.h"
#include "tune/equal_links.h"
#include "tune/tune.h"

namespace cleave::tune {
namespace {

using graph::Graph;
using graph::GraphBuilder;
using graph::TensorId;
using testing::plain_spec;
using testing::small_residual;
using testing::small_samples;

std::set<std::string> all_units(const Graph& graph) {
  std::set<std::string> names;
  for (const graph::Unit& unit : graph.units()) names.insert(unit.name);
  return names;
}

std::vector<Tensor> noise(const Shape& shape, std::size_t count) {
  std::vector<Tensor> samples;
  for (std::size_t s = 0; s < count; ++s) {
    Tensor sample(DType::kFloat32, shape);
    const auto values = sample.mutable_data<float>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = std::sin(static_cast<float>((s + 3) * i % 7919)) + 0.5F * std::sin(0.01F * static_cast<float>(i));
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

/// The largest difference of the first output, in units of its range.
double largest_error(const Graph& a, const Graph& b, const std::vector<Tensor>& samples) {
  exec::Session one(a);
  exec::Session other(b);
  double worst = 0;
  for (const Tensor& sample : samples) {
    const Tensor expected = one.run(std::span(&sample, 1))[0];
    const Tensor got = other.run(std::span(&sample, 1))[0];
    const auto x = expected.data<float>();
    const auto [low, high] = std::minmax_element(x.begin(), x.end());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double apart = std::abs(static_cast<double>(x[i]) - static_cast<double>(got.data<float>()[i]));
      worst = std::max(worst, apart / (static_cast<double>(*high) - static_cast<double>(*low)));
    }
  }
  return worst;
}

/// x 1x2x1x1 -> 1x1 convolution -> Clip(0, 6) -> 1x1 convolution.
Graph clipped_pair() {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {1, 2, 1, 1});
  const auto constant = [&b](const char* name, Shape shape, const std::vector<float>& values) {
    return b.constant(name, Tensor::from<float>(std::move(shape), values));
  };
  const TensorId low = b.constant("low", Tensor::scalar(0.0F));
  const TensorId high = b.constant("high", Tensor::scalar(6.0F));
  const TensorId c = b.node("Conv", {x, constant("w1", {2, 2, 1, 1}, {8, 0, 0, 0.5F})}, {"c"}, {}, "first")[0];
  const TensorId r = b.node("Clip", {c, low, high}, {"r"})[0];
  const TensorId y = b.node("Conv", {r, constant("w2", {1, 2, 1, 1}, {2, 2})}, {"y"}, {}, "second")[0];
  for (const TensorId id : {c, r}) b.set_shape(id, DType::kFloat32, {1, 2, 1, 1});
  b.set_shape(y, DType::kFloat32, {1, 1, 1, 1});
  b.output(y);
  return b.build();
}

const Tensor& weights(const Graph& graph, const std::string& name) {
  const auto unit =
      std::find_if(graph.units().begin(), graph.units().end(), [&](const auto& u) { return u.name == name; });
  return *graph.constant(unit->weight);
}

TEST(Equalize, LinksLayersThatNobodyElseLooksBetween) {
  const Graph graph = small_residual();
  std::vector<std::pair<std::string, std::string>> found;
  for (const EqualLink& link : equal_links(graph, all_units(graph))) {
    found.emplace_back(graph.units()[link.from].name, graph.units()[link.to].name);
  }
  EXPECT_EQ(found, (std::vector<std::pair<std::string, std::string>>{{"dw", "pw"}}));  // conv1 is read by the sum too
  EXPECT_TRUE(equal_links(graph, {"dw"}).empty());
}

TEST(Equalize, MakesBothSidesOfALinkEqual) {
  const Graph graph = small_residual();
  const auto samples = small_samples(4);
  const EqualizedNetwork network = equalize(graph, all_units(graph), samples, {});
  EXPECT_EQ(network.units, (std::vector<std::string>{"dw", "pw"}));
  EXPECT_EQ(network.tensors, (std::vector<std::string>{"d"}));
  const auto layer = [&](const std::string& name) {
    return ChannelWeights(network.graph, *std::find_if(network.graph.units().begin(), network.graph.units().end(),
                                                       [&](const auto& unit) { return unit.name == name; }));
  };
  const auto puts_out = layer("dw").output_ranges();
  const auto takes_in = layer("pw").input_ranges();
  for (std::size_t c = 0; c < puts_out.size(); ++c) EXPECT_NEAR(puts_out[c], takes_in[c], 1e-5 * puts_out[c]);
  EXPECT_LE(largest_error(graph, network.graph, samples), 1e-5);
}

TEST(Equalize, KeepsChannelsThatReachABoundAndLiftsOthersUpToIt) {
  const Graph graph = clipped_pair();
  // The first channel sees 8 > 6 and keeps its weights; the second sees 0.5, which may grow twelvefold.
  const std::vector<Tensor> samples{Tensor::from<float>({1, 2, 1, 1}, std::vector<float>{1, 1})};
  const EqualizedNetwork network = equalize(graph, all_units(graph), samples, {});
  const auto first = weights(network.graph, "first").data<float>();
  EXPECT_EQ(first[0], 8);
  EXPECT_NEAR(first[3], 1, 1e-6);  // sqrt(0.5 * 2) on both sides
  EXPECT_NEAR(weights(network.graph, "second").data<float>()[1], 1, 1e-6);
  EXPECT_FLOAT_EQ(exec::Session(network.graph).run(samples)[0].data<float>()[0], 2 * 6 + 2 * 0.5F);
}

TEST(Equalize, LoosensABoundWhereAsked) {
  const Graph graph = clipped_pair();
  const std::vector<Tensor> samples{Tensor::from<float>({1, 2, 1, 1}, std::vector<float>{1, 1})};
  const EqualizedNetwork network = equalize(graph, all_units(graph), samples, {UpperBounds::kLoosen, 1});
  // s = (2, 1/2): min(8, 6) = 6 becomes min(8/2, 6) = 4, which counts 2 * 4: 8 in place of 6.
  const auto first = weights(network.graph, "first").data<float>();
  EXPECT_NEAR(first[0], 4, 1e-5);
  EXPECT_NEAR(first[3], 1, 1e-5);
  const auto second = weights(network.graph, "second").data<float>();
  EXPECT_NEAR(second[0], 4, 1e-5);
  EXPECT_NEAR(second[1], 1, 1e-5);
}

class RealNetwork : public ::testing::TestWithParam<const char*> {};

TEST_P(RealNetwork, ComputesTheSameWithEqualizedWeights) {
  CLEAVE_NEEDS_SHARED();
  const auto file = cleave::testing::shared_dir() / "data" / "models" / (std::string(GetParam()) + ".onnx");
  const Graph graph = graph::prepare(graph::Model::load(file));
  const auto samples = noise(graph.tensor(graph.inputs()[0]).shape, 2);
  const EqualizedNetwork network = equalize(graph, all_units(graph), samples, {});
  EXPECT_GE(network.units.size(), 2U);  // SqueezeNet has one link only: its layers have two readers
  EXPECT_LE(largest_error(graph, network.graph, samples), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Shared, RealNetwork,
                         ::testing::Values("resnet20_cifar10", "vww_mobilenetv1_025_96", "squeezenet1.1",
                                           "ultraface_version-RFB-320", "nanodet_m", "mobilenet_v2_1.0_224"),
                         [](const auto& network) {
                           std::string name = network.param;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
                           return name;
                         });

TEST(Equalize, IsTheSameForAnyNumberOfThreads) {
  const Graph graph = small_residual();
  const auto samples = small_samples(6);
  const exec::QuantizationSpec spec = plain_spec(graph, samples, 4, 8);
  const EqualizedSpec one = equalize(graph, spec, samples, {UpperBounds::kKeep, 1});
  const EqualizedSpec three = equalize(graph, spec, samples, {UpperBounds::kKeep, 3});
  EXPECT_EQ(one.network.graph.fingerprint(), three.network.graph.fingerprint());
  EXPECT_EQ(one.spec.activations, three.spec.activations);
  EXPECT_EQ(one.spec.weights, three.spec.weights);
  EXPECT_EQ(one.tensors, three.tensors);
}

TEST(Equalize, LeavesASpecThatStandsForTheNetworkWithItsOldWeights) {
  const Graph graph = small_residual();
  const auto samples = small_samples(8);
  TuneOptions options;
  options.steps = steps_from_text("equalize");
  const Tuned tuned = tune(graph, plain_spec(graph, samples, 8, 8), samples, options);
  for (const char* unit : {"dw", "pw"}) {
    EXPECT_TRUE(tuned.spec.weight_codes.contains(unit)) << unit;
    EXPECT_TRUE(tuned.spec.biases.contains(unit)) << unit;
  }
  EXPECT_LE(largest_error(graph, exec::fake_quantize(graph, tuned.spec), samples), 0.05);
}

}  // namespace
}  // namespace cleave::tune
