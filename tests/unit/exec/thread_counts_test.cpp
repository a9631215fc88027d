#include <gtest/gtest.h>

#include <algorithm>

#include "exec/session.h"
#include "graph/model.h"
#include "graph/prepare.h"
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

TEST(ThreadCounts, MatrixProductsGiveTheSameBits) {
  NetworkBuilder network(4);
  const TensorId x = network.input({3, 37, 41});
  const TensorId w = network.constant(random_floats({41, 53}, 5));
  const TensorId y = network.shaped("MatMul", {x, w}, {3, 37, 53});
  network.output(network.shaped("MatMul", {network.input({3, 29, 37}), y}, {3, 29, 53}));
  expect_same_bits_for_every_thread_count(network.build());
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
