#include "exec/batched_session.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/error.h"
#include "exec/weight_store.h"
#include "random_tensor.h"
#include "support/shared.h"

namespace cleave::exec {
namespace {

using testing::random_floats;
using testing::relative_difference;

graph::Model squeezenet() {
  return graph::Model::load(cleave::testing::shared_dir() / "data/models/squeezenet1.1.onnx");
}

/// Sample `n` of a batch.
Tensor sample(const Tensor& batch, std::int64_t n) {
  Shape shape = batch.shape();
  shape[0] = 1;
  Tensor one(batch.dtype(), shape);
  std::memcpy(one.mutable_raw().data(), batch.raw().data() + static_cast<std::size_t>(n) * one.bytes(), one.bytes());
  return one;
}

TEST(BatchedSession, GivesEachSampleWhatItGetsAloneAndSharesTheWeights) {
  CLEAVE_NEEDS_SHARED();
  BatchedSession session(squeezenet(), {Kernels::kFast, 1});
  const std::vector<Tensor> inputs = {random_floats({3, 3, 224, 224}, 4)};
  std::vector<Tensor> together;
  session.run_into(inputs, together);
  ASSERT_EQ(together[0].shape()[0], 3);
  const std::size_t weights = shared_weights().live();
  for (std::int64_t n = 0; n < 3; ++n) {
    std::vector<Tensor> alone;
    session.run_into(std::vector<Tensor>{sample(inputs[0], n)}, alone);
    EXPECT_LE(relative_difference(sample(together[0], n), alone[0]), 1e-5) << n;
  }
  EXPECT_LE(shared_weights().live(), weights + weights / 8);  // a layer may want another layout for another batch
}

TEST(BatchedSession, RunsOneByOneWhereActivationsOutweighWeights) {
  CLEAVE_NEEDS_SHARED();
  const graph::Model model = squeezenet();
  BatchedSession session(model, {Kernels::kFast, 1});
  const std::vector<Tensor> inputs = {random_floats({4, 3, 224, 224}, 4)};
  EXPECT_EQ(session.graph_of(2).tensor(session.graph_of(2).inputs()[0]).shape[0], 2);  // small enough for the cache
  EXPECT_EQ(session.graph_of(4).tensor(session.graph_of(4).inputs()[0]).shape[0], 1);
  std::vector<Tensor> together;
  session.run_into(inputs, together);
  std::vector<UnitTime> times;
  const std::vector<Tensor> timed = session.run_timed(inputs, times);
  EXPECT_EQ(relative_difference(timed[0], together[0]), 0);
  const graph::Graph whole = graph::prepare(model, {.input_shapes = {{"data", {4, 3, 224, 224}}}});
  const std::vector<Tensor> expected = Session(whole, {Kernels::kFast, 1}).run(inputs);
  EXPECT_LE(relative_difference(together[0], expected[0]), 1e-5);
  std::int64_t macs = 0;
  for (const UnitTime& time : times) macs += time.macs;
  std::int64_t all = 0;
  for (const graph::Unit& unit : whole.units()) all += unit.macs;
  EXPECT_EQ(macs, all);
}

TEST(BatchedSession, RefusesInputsThatAreNoBatch) {
  CLEAVE_NEEDS_SHARED();
  BatchedSession session(squeezenet(), {Kernels::kFast, 1});
  std::vector<Tensor> outputs;
  EXPECT_THROW(session.run_into(std::vector<Tensor>{}, outputs), Error);
  EXPECT_THROW(session.run_into(std::vector<Tensor>{Tensor::scalar(1.0F)}, outputs), Error);
}

}  // namespace
}  // namespace cleave::exec
