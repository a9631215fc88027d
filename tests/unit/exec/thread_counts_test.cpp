#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "exec/session.h"
#include "graph/model.h"
#include "graph/prepare.h"
#include "quantized_network.h"
#include "random_tensor.h"
#include "small_networks.h"
#include "support/shared.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::TensorId;
using testing::NetworkBuilder;
using testing::random_floats;

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::equal(a.raw().begin(), a.raw().end(), b.raw().begin(), b.raw().end());
}

/// Outputs of the reference kernels with 2, 3 and 5 threads against those with one.
void expect_same_bits_for_every_thread_count(const Graph& graph) {
  std::vector<Tensor> inputs;
  for (const TensorId id : graph.inputs()) inputs.push_back(random_floats(graph.tensor(id).shape, 11));
  const auto one = Session(graph, {Kernels::kReference, 1}).run(inputs);
  for (const int threads : {2, 3, 5}) {
    const auto many = Session(graph, {Kernels::kReference, threads}).run(inputs);
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(same_bits(one[i], many[i])) << threads << " threads";
  }
}

TEST(ThreadCounts, ConvolutionsPoolingsAndNormalizationsGiveTheSameBits) {
  NetworkBuilder network(3);
  TensorId x = network.input({2, 6, 19, 17});
  x = network.batch_norm(network.conv(x, 12, 3));
  x = network.silu(network.conv(x, 12, 3, 2, 4));
  x = network.max_pool(network.like_first("Softmax", {x}));
  network.output(network.shaped("GlobalAveragePool", {x}, {2, 12, 1, 1}));
  expect_same_bits_for_every_thread_count(network.build());
}

TEST(ThreadCounts, TransposedConvolutionsAndNormalizationsOfEveryAxisGiveTheSameBits) {
  NetworkBuilder network(6);
  const std::vector<std::int64_t> twos = {2, 2};
  TensorId x = network.input({2, 6, 15, 17});
  const TensorId w = network.constant(random_floats({6, 4, 2, 2}, 7));
  x = network.shaped("ConvTranspose", {x, w}, {2, 4, 30, 34}, {{"strides", twos}});
  const TensorId by_channel = network.constant(random_floats({4}, 8));
  x = network.like_first("InstanceNormalization", {x, by_channel, by_channel});
  x = network.like_first("LRN", {x}, {{"size", std::int64_t{3}}, {"alpha", 0.5f}});
  const TensorId by_column = network.constant(random_floats({34}, 9));
  x = network.like_first("LayerNormalization", {x, by_column, by_column});
  network.builder().set_versions(17, 8);
  network.output(network.shaped("AveragePool", {x}, {2, 4, 15, 17}, {{"kernel_shape", twos}, {"strides", twos}}));
  network.output(network.shaped("GlobalMaxPool", {x}, {2, 4, 1, 1}));
  expect_same_bits_for_every_thread_count(network.build());
}

TEST(ThreadCounts, MatrixProductsGiveTheSameBits) {
  NetworkBuilder network(4);
  const TensorId x = network.input({3, 37, 41});
  const TensorId w = network.constant(random_floats({41, 53}, 5));
  const TensorId y = network.shaped("MatMul", {x, w}, {3, 37, 53});
  network.output(network.shaped("MatMul", {network.input({3, 29, 37}), y}, {3, 29, 53}));
  expect_same_bits_for_every_thread_count(network.build());
}

/// Large enough that every kernel of cleave's own shares its work: Winograd's, rows, pieces, resizing, pooling.
Graph network_of_own_kernels() {
  NetworkBuilder network(9);
  TensorId x = network.input({1, 16, 40, 40});
  x = network.silu(network.conv(x, 32, 3));
  x = network.like_first("PRelu", {network.conv(x, 32, 3), network.constant(random_floats({32, 1, 1}, 3, 0, 0.5))});
  x = network.max_pool(network.conv(x, 24, 1));
  const TensorId scales = network.constant(Tensor::from<float>({4}, {1, 1, 2, 2}));
  x = network.shaped("Resize", {x, TensorId::kNone, scales}, {1, 24, 80, 80}, {{"mode", std::string("linear")}});
  network.output(network.like_first("Softmax", {x}, {{"axis", std::int64_t{1}}}));
  return network.build();
}

TEST(ThreadCounts, FastKernelsAgreeWithReferenceKernels) {
  const Graph graph = network_of_own_kernels();
  const std::vector<Tensor> inputs = {random_floats({1, 16, 40, 40}, 11)};
  const Tensor expected = Session(graph, {Kernels::kReference, 1}).run(inputs)[0];
  for (const int threads : {1, 2, 3}) {
    Session session(graph, {Kernels::kFast, threads});
    // On a busy machine one thread may do all the work of a run: several, so that threads meet in one of them.
    for (int run = 0; run < 5; ++run) {
      EXPECT_LT(testing::relative_difference(session.run(inputs)[0], expected), 1e-4) << threads << " threads";
    }
  }
}

TEST(ThreadCounts, KernelsOnCodesGiveTheSameBits) {
  NetworkBuilder network(10);
  TensorId x = network.input({1, 16, 40, 40});
  x = network.like_first("Relu", {network.conv(x, 32, 3)});
  x = network.like_first("Add", {network.conv(x, 32, 3), x});
  x = network.like_first("Sigmoid", {network.max_pool(x)});
  network.output(network.shaped("GlobalAveragePool", {x}, {1, 32, 1, 1}));
  const testing::QuantizedNetwork quantized = testing::quantize(network.build());
  const auto one = Session(quantized.graph, {Kernels::kFast, 1}).run(std::vector<Tensor>{quantized.input});
  for (const int threads : {2, 3}) {
    const auto many = Session(quantized.graph, {Kernels::kFast, threads}).run(std::vector<Tensor>{quantized.input});
    EXPECT_TRUE(same_bits(one[0], many[0])) << threads << " threads";
  }
}

TEST(ThreadCounts, SessionsThatRunAtTheSameTimeShareNothingThatChanges) {
  const Graph graph = network_of_own_kernels();
  const std::vector<Tensor> inputs = {random_floats({1, 16, 40, 40}, 11)};
  const Tensor expected = Session(graph, {Kernels::kFast, 1}).run(inputs)[0];
  std::vector<Tensor> made(3);
  std::vector<std::thread> threads;
  for (Tensor& mine : made) {
    threads.emplace_back([&graph, &inputs, &mine] { mine = Session(graph, {Kernels::kFast, 1}).run(inputs)[0]; });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Tensor& result : made) EXPECT_TRUE(same_bits(result, expected));
}

TEST(ThreadCounts, ARealNetworkGivesTheSameBits) {
  CLEAVE_NEEDS_SHARED();
  for (const char* name : {"resnet8_cifar10_mlperftiny", "ultraface_version-RFB-320"}) {
    const auto path = cleave::testing::shared_dir() / "data/models" / (std::string(name) + ".onnx");
    expect_same_bits_for_every_thread_count(graph::prepare(graph::Model::load(path)));
  }
}

}  // namespace
}  // namespace cleave::exec
