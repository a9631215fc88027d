#include "exec/weight_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "exec/session.h"
#include "random_tensor.h"
#include "small_networks.h"

namespace cleave::exec {
namespace {

using testing::random_floats;

std::shared_ptr<const int> number(int value) {
  return std::make_shared<const int>(value);
}

TEST(WeightStore, MakesAValueOnceForAsLongAsSomebodyHoldsIt) {
  WeightStore store;
  int made = 0;
  const WeightStore::Maker<int> make = [&made] { return number(++made); };
  auto first = store.find_or_make("a", make);
  EXPECT_EQ(store.find_or_make("a", make), first);
  EXPECT_EQ(*store.find_or_make("b", make), 2);  // nobody holds it
  EXPECT_EQ(store.live(), 1u);
  first.reset();
  EXPECT_EQ(store.live(), 0u);
  EXPECT_EQ(*store.find_or_make("a", make), 3);
}

TEST(WeightStore, KeepsTheLivingWhenTheNamesOfTheDeadAreSweptOut) {
  WeightStore store;
  const auto kept = store.find_or_make("kept", WeightStore::Maker<int>([] { return number(7); }));
  for (int i = 0; i < 1000; ++i) {
    store.find_or_make(std::to_string(i), WeightStore::Maker<int>([i] { return number(i); }));
  }
  EXPECT_EQ(store.find_or_make("kept", WeightStore::Maker<int>([] { return number(8); })), kept);
}

TEST(WeightStore, ThreadsThatWantTheSameWeightShareOne) {
  WeightStore store;
  std::atomic<int> made = 0;
  std::vector<std::shared_ptr<const int>> got(8);
  std::vector<std::thread> threads;
  for (auto& mine : got) {
    threads.emplace_back([&] {
      mine = store.find_or_make("a", WeightStore::Maker<int>([&] {
                                  std::this_thread::sleep_for(std::chrono::milliseconds(5));
                                  return number(++made);
                                }));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
  for (const auto& mine : got) EXPECT_EQ(mine, got[0]);
}

TEST(WeightStore, TellsContentsAndTypesApart) {
  const Tensor a = Tensor::from<float>({2}, {1, 2});
  EXPECT_EQ(content_key(a), content_key(a.clone()));
  EXPECT_NE(content_key(a), content_key(Tensor::from<float>({2}, {1, 3})));
  EXPECT_NE(content_key(Tensor::from<std::int8_t>({2}, {1, 2})), content_key(Tensor::from<std::uint8_t>({2}, {1, 2})));
}

/// Convolutions and a matrix product over `batch` pictures, always with the same weights.
graph::Graph network_of_batch(std::int64_t batch) {
  testing::NetworkBuilder network(5);
  graph::TensorId x = network.input({batch, 16, 12, 12});
  x = network.conv(x, 32, 3);
  network.output(network.conv(x, 32, 1));
  return network.build();
}

TEST(SharedWeights, AreTheSameForEveryBatchTapAndThreadCountAndGoWithTheLastSession) {
  const std::size_t before = shared_weights().live();
  {
    Session one(network_of_batch(1));
    one.run(std::vector<Tensor>{random_floats({1, 16, 12, 12}, 3)});
    const std::size_t mine = shared_weights().live() - before;
    EXPECT_EQ(mine, 2u);
    Session again(network_of_batch(1), {Kernels::kFast, 2});
    const Tensor a = again.run(std::vector<Tensor>{random_floats({1, 16, 12, 12}, 3)})[0];
    EXPECT_EQ(shared_weights().live() - before, mine);
    Session other(network_of_batch(1));
    struct Nobody : ActivationObserver {
      void observe(const ActivationView&) override {}
    } nobody;
    const std::vector<graph::TensorId> taps(other.graph().outputs().begin(), other.graph().outputs().end());
    other.run(std::vector<Tensor>{random_floats({1, 16, 12, 12}, 3)}, taps, nobody);
    EXPECT_EQ(shared_weights().live() - before, mine);
  }
  EXPECT_EQ(shared_weights().live(), before);
}

}  // namespace
}  // namespace cleave::exec
