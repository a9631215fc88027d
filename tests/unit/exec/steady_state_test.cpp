#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "exec/session.h"
#include "random_tensor.h"
#include "small_networks.h"

namespace {

std::atomic<bool> counting = false;
std::atomic<std::size_t> calls = 0;
std::atomic<std::size_t> largest_bytes = 0;

void count(std::size_t bytes) {
  if (!counting) return;
  ++calls;
  std::size_t seen = largest_bytes;
  while (seen < bytes && !largest_bytes.compare_exchange_weak(seen, bytes)) {
  }
}

void* allocate(std::size_t bytes) {
  count(bytes);
  void* block = std::malloc(bytes == 0 ? 1 : bytes);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void* allocate_aligned(std::size_t bytes, std::size_t alignment) {
  count(bytes);
  void* block = std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

// Every operator new of the process, oneDNN's included, goes through here.
void* operator new(std::size_t bytes) {
  return allocate(bytes);
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  count(bytes);
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
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
  std::size_t calls = 0;
  std::size_t largest_bytes = 0;
};

/// What ten runs allocate after two that warm up.
Allocations in_steady_state(Session& session, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> outputs;
  for (int i = 0; i < 2; ++i) session.run_into(inputs, outputs);
  calls = 0;
  largest_bytes = 0;
  counting = true;
  for (int i = 0; i < 10; ++i) session.run_into(inputs, outputs);
  counting = false;
  return {calls, largest_bytes};
}

TEST(SteadyState, TheCounterSeesAllocations) {
  const std::vector<Tensor> inputs = {testing::random_floats({1, 8, 6, 5}, 1)};
  Session session(testing::residual_block());
  counting = true;
  calls = 0;
  largest_bytes = 0;
  session.run(inputs);
  counting = false;
  EXPECT_GT(calls, 10u);
  EXPECT_GT(largest_bytes, 1024u);
}

TEST(SteadyState, ARunWithoutOneDnnAllocatesNothing) {
  testing::NetworkBuilder network(1);
  TensorId x = network.input({1, 4, 64, 64});
  for (const char* op : {"Relu", "Abs", "Tanh", "Neg", "Exp"}) x = network.like_first(op, {x});
  network.output(x);
  for (const bool pin : {false, true}) {
    Session session(network.build(), {Kernels::kReference, 2, pin});
    EXPECT_EQ(in_steady_state(session, {testing::random_floats({1, 4, 64, 64}, 1)}).calls, 0u);
  }
}

TEST(SteadyState, OnlyOneDnnsArgumentListsAreAllocated) {
  testing::NetworkBuilder network(2);
  TensorId x = network.input({1, 16, 32, 32});
  x = network.like_first("Relu", {network.conv(x, 32, 3)});
  x = network.like_first("Add", {x, network.silu(network.conv(x, 32, 1))});
  network.output(network.max_pool(x));
  Session session(network.build(), {Kernels::kFast, 2});
  EXPECT_LT(in_steady_state(session, {testing::random_floats({1, 16, 32, 32}, 1)}).largest_bytes, 1024u);
}

}  // namespace
}  // namespace cleave::exec
