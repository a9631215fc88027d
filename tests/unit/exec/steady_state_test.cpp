#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string_view>

#include "exec/session.h"
#include "graph/model.h"
#include "graph/prepare.h"
#include "quantized_network.h"
#include "random_tensor.h"
#include "small_networks.h"
#include "support/shared.h"

namespace {

std::atomic<bool> counting = false;
std::atomic<std::size_t> own_calls = 0;
std::atomic<std::size_t> onednn_calls = 0;

bool lies_in_onednn(const void* code) {
  Dl_info place;
  return dladdr(code, &place) != 0 && place.dli_fname != nullptr &&
         std::string_view(place.dli_fname).find("libdnnl") != std::string_view::npos;
}

void count(const void* caller) {
  if (counting) ++(lies_in_onednn(caller) ? onednn_calls : own_calls);
}

void* allocate(std::size_t bytes) {
  void* block = std::malloc(bytes == 0 ? 1 : bytes);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void* allocate_aligned(std::size_t bytes, std::size_t alignment) {
  void* block = std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

// Every operator new of the process, oneDNN's included, goes through here.
void* operator new(std::size_t bytes) {
  count(__builtin_return_address(0));
  return allocate(bytes);
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  count(__builtin_return_address(0));
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  count(__builtin_return_address(0));
  return allocate_aligned(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  std::free(block);
}

namespace cleave::exec {
namespace {

using graph::TensorId;

struct Allocations {
  std::size_t own = 0;
  std::size_t onednn = 0;
};

/// What ten runs allocate after two that warm up.
Allocations in_steady_state(Session& session, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> outputs;
  for (int i = 0; i < 2; ++i) session.run_into(inputs, outputs);
  own_calls = 0;
  onednn_calls = 0;
  counting = true;
  for (int i = 0; i < 10; ++i) session.run_into(inputs, outputs);
  counting = false;
  return {own_calls, onednn_calls};
}

Allocations in_steady_state(const graph::Graph& graph, const SessionOptions& options = {Kernels::kFast, 2}) {
  std::vector<Tensor> inputs;
  for (const TensorId id : graph.inputs()) inputs.push_back(testing::random_floats(graph.tensor(id).shape, 1));
  Session session(graph, options);
  return in_steady_state(session, inputs);
}

TEST(SteadyState, TheCounterTellsWhoAllocates) {
  const std::vector<Tensor> inputs = {testing::random_floats({1, 8, 6, 5}, 1)};
  Session session(testing::residual_block());
  counting = true;
  own_calls = 0;
  onednn_calls = 0;
  session.run(inputs);  // compiles
  counting = false;
  EXPECT_GT(own_calls, 10u);
  EXPECT_GT(onednn_calls, 10u);
}

TEST(SteadyState, ARunWithoutOneDnnAllocatesNothing) {
  testing::NetworkBuilder network(1);
  TensorId x = network.input({1, 4, 64, 64});
  for (const char* op : {"Relu", "Abs", "Tanh", "Neg", "Exp"}) x = network.like_first(op, {x});
  network.output(x);
  for (const bool pin : {false, true}) {
    const Allocations made = in_steady_state(network.build(), {Kernels::kReference, 2, pin});
    EXPECT_EQ(made.own + made.onednn, 0u);
  }
}

/// Convolutions of all kinds and everything that moves, resizes or joins what they make.
graph::Graph mixed_network() {
  using Integers = std::vector<std::int64_t>;
  testing::NetworkBuilder network(2);
  const auto ints = [&network](const Integers& values) {
    return network.constant(Tensor::from<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
  };
  TensorId x = network.input({1, 16, 32, 32});
  x = network.like_first("Relu", {network.conv(x, 32, 3)});
  x = network.like_first("Add", {x, network.silu(network.conv(x, 32, 1))});
  x = network.concat({network.max_pool(x), network.conv(x, 32, 3, 1, 32)});
  x = network.channel_shuffle(x, 2);
  x = network.shaped("Slice", {x, ints({8, 1}), ints({40, 31}), ints({1, 2})}, {1, 32, 30, 32});
  x = network.shaped("Pad", {x, ints({0, 0, 1, 0, 0, 0, 1, 0})}, {1, 32, 32, 32});
  const TensorId scales = network.constant(Tensor::from<float>({4}, {1, 1, 2, 2}));
  x = network.shaped("Resize", {x, TensorId::kNone, scales}, {1, 32, 64, 64}, {{"mode", std::string("nearest")}});
  x = network.like_first("Mul", {x, network.shaped("GlobalAveragePool", {x}, {1, 32, 1, 1})});
  network.output(network.shaped("Transpose", {x}, {1, 64, 64, 32}, {{"perm", Integers{0, 2, 3, 1}}}));
  return network.build();
}

TEST(SteadyState, CleaveAllocatesNothingBesideOneDnn) {
  EXPECT_EQ(in_steady_state(mixed_network()).own, 0u);
}

TEST(SteadyState, NeitherWhereNetworksRunOnCodes) {
  const testing::QuantizedNetwork quantized = testing::quantize(mixed_network());
  Session session(quantized.graph, {Kernels::kFast, 2});
  EXPECT_EQ(in_steady_state(session, {quantized.input}).own, 0u);
}

TEST(SteadyState, NorInRealNetworks) {
  CLEAVE_NEEDS_SHARED();
  for (const char* name : {"mobilenet_v2_1.0_224", "squeezenet1.1", "resnet20_cifar10", "yolox_nano", "nanodet_m",
                           "ultraface_version-RFB-320", "super_resolution_subpixel"}) {
    const auto path = cleave::testing::shared_dir() / "data/models" / (std::string(name) + ".onnx");
    EXPECT_EQ(in_steady_state(graph::prepare(graph::Model::load(path)), {Kernels::kFast, 1}).own, 0u) << name;
  }
}

std::size_t onednn_calls_of_poolings(int count) {
  testing::NetworkBuilder network(3);
  TensorId x = network.input({1, 16, 8, 8});
  for (int i = 0; i < count; ++i) x = network.max_pool(x);
  network.output(x);
  return in_steady_state(network.build()).onednn;
}

/// oneDNN makes a table of a primitive's arguments in every run (docs/decisions/0005-executor.md).
TEST(SteadyState, OneDnnAllocatesOncePerArgumentAndTwiceMorePerPooling) {
  constexpr std::size_t kArguments = 2;
  EXPECT_EQ(onednn_calls_of_poolings(3) - onednn_calls_of_poolings(2), 10 * (kArguments + 2));
}

}  // namespace
}  // namespace cleave::exec
