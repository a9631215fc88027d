#include "exec/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "core/error.h"
#include "random_tensor.h"
#include "small_networks.h"
#include "tap_recorder.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::GraphBuilder;
using graph::TensorId;
using testing::random_floats;
using testing::relative_difference;
using testing::TapRecorder;

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::equal(a.raw().begin(), a.raw().end(), b.raw().begin(), b.raw().end());
}

std::vector<TensorId> all_activations(const Graph& graph) {
  std::vector<TensorId> ids;
  for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
    const auto id = static_cast<TensorId>(i);
    if (graph.constant(id) == nullptr && graph.tensor(id).dtype == DType::kFloat32) ids.push_back(id);
  }
  return ids;
}

/// y = x, as ONNX means it, for a 1-D float input.
Graph copying_network() {
  GraphBuilder b;
  const TensorId y = b.node("Identity", {b.input("x", DType::kFloat32, {3})}, {"y"})[0];
  b.set_shape(y, DType::kFloat32, {3});
  b.output(y);
  return b.build();
}

TEST(Session, ShowsEveryTapOnceWithTheValueThatReferenceKernelsGive) {
  const Graph graph = testing::residual_block();
  const std::vector<Tensor> inputs = {random_floats({1, 8, 6, 5}, 3)};
  const auto taps = all_activations(graph);
  TapRecorder fast;
  TapRecorder naive;
  const auto outputs = Session(graph).run(inputs, taps, fast);
  Session(graph, {Kernels::kReference, 1}).run(inputs, taps, naive);
  ASSERT_EQ(fast.order().size(), taps.size());
  for (const TensorId id : taps) {
    EXPECT_LE(relative_difference(fast.value(id), naive.value(id)), 1e-5) << graph.tensor(id).name;
  }
  EXPECT_TRUE(same_bits(fast.value(graph.outputs()[0]), outputs[0]));
  EXPECT_TRUE(same_bits(fast.value(graph.inputs()[0]), inputs[0]));
}

TEST(Session, ShowsTheTensorsInsideAFusedResidualSumWhenTheyAreAskedFor) {
  const Graph graph = testing::residual_block();
  const std::vector<Tensor> inputs = {random_floats({1, 8, 6, 5}, 4)};
  Session session(graph);
  const auto untapped = session.run(inputs);
  for (const char* name : {"a", "b", "c", "sum", "y"}) {
    const std::vector<TensorId> taps = {*graph.find(name)};
    TapRecorder fast;
    TapRecorder naive;
    const auto outputs = session.run(inputs, taps, fast);
    Session(graph, {Kernels::kReference, 1}).run(inputs, taps, naive);
    EXPECT_LE(relative_difference(fast.value(taps[0]), naive.value(taps[0])), 1e-5) << name;
    EXPECT_LE(relative_difference(outputs[0], untapped[0]), 1e-6) << name;
  }
}

TEST(Session, ShowsTapsInOrderOfProductionWhateverOrderTheyAreAskedIn) {
  const Graph graph = testing::residual_block();
  const std::vector<TensorId> taps = {*graph.find("y"), *graph.find("b"), *graph.find("x")};
  const std::vector<TensorId> expected = {*graph.find("x"), *graph.find("b"), *graph.find("y")};
  for (const Kernels kernels : {Kernels::kFast, Kernels::kReference}) {
    TapRecorder recorder;
    const std::vector<Tensor> inputs = {random_floats({1, 8, 6, 5}, 3)};
    Session(graph, {kernels, 1}).run(inputs, taps, recorder);
    EXPECT_EQ(recorder.order(), expected);
  }
}

TEST(Session, HandsConvolutionOutputsOverChannelsLastWithoutCopy) {
  const Graph graph = testing::residual_block();
  struct LayoutSeen : ActivationObserver {
    std::int64_t block = 0;
    void observe(const ActivationView& activation) override { block = activation.channel_block; }
  } seen;
  const std::vector<Tensor> inputs = {random_floats({1, 8, 6, 5}, 3)};
  const std::vector<TensorId> taps = {*graph.find("b")};
  Session(graph).run(inputs, taps, seen);
  EXPECT_EQ(seen.block, 8);
}

TEST(Session, GivesTheSameBitsInEveryRunAndInEveryThread) {
  const Graph graph = testing::residual_block();
  const std::vector<Tensor> inputs = {random_floats({1, 8, 6, 5}, 5)};
  Session session(graph);
  const Tensor first = session.run(inputs)[0];
  EXPECT_TRUE(same_bits(first, session.run(inputs)[0]));
  std::vector<Tensor> results(4);
  std::vector<std::thread> threads;
  for (Tensor& result : results) {
    threads.emplace_back([&graph, &inputs, &result] {
      Session own(graph);
      for (int i = 0; i < 20; ++i) result = own.run(inputs)[0];
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Tensor& result : results) EXPECT_TRUE(same_bits(first, result));
}

TEST(Session, CanRunInAnotherThreadThanTheOneThatCompiledIt) {
  const Graph graph = testing::residual_block();
  const std::vector<Tensor> inputs = {random_floats({1, 8, 6, 5}, 5)};
  Session session(graph);
  Tensor elsewhere;
  std::thread([&] { elsewhere = session.run(inputs)[0]; }).join();
  EXPECT_TRUE(same_bits(session.run(inputs)[0], elsewhere));
}

TEST(Session, ReferenceKernelsGiveTheSameBitsForAnyThreadCount) {
  const Graph graph = testing::residual_block();
  const std::vector<Tensor> inputs = {random_floats({1, 8, 6, 5}, 5)};
  const Tensor one = Session(graph, {Kernels::kReference, 1}).run(inputs)[0];
  EXPECT_TRUE(same_bits(one, Session(graph, {Kernels::kReference, 2}).run(inputs)[0]));
  EXPECT_LE(relative_difference(Session(graph, {Kernels::kFast, 2}).run(inputs)[0], one), 1e-6);
}

TEST(Session, ResultsOutliveTheNextRun) {
  Session session(testing::residual_block());
  const std::vector<Tensor> first = {random_floats({1, 8, 6, 5}, 5)};
  const std::vector<Tensor> second = {random_floats({1, 8, 6, 5}, 6)};
  const Tensor result = session.run(first)[0];
  const Tensor kept = result.clone();
  session.run(second);
  EXPECT_TRUE(same_bits(result, kept));
}

TEST(Session, WritesOverTheCallersOutputsUnlessSomebodyElseHoldsThem) {
  Session session(testing::residual_block());
  const std::vector<Tensor> first = {random_floats({1, 8, 6, 5}, 5)};
  const std::vector<Tensor> second = {random_floats({1, 8, 6, 5}, 6)};
  std::vector<Tensor> outputs;
  session.run_into(first, outputs);
  const std::byte* place = outputs[0].raw().data();
  session.run_into(second, outputs);
  EXPECT_EQ(outputs[0].raw().data(), place);
  EXPECT_TRUE(same_bits(outputs[0], session.run(second)[0]));
  const Tensor kept = outputs[0];
  session.run_into(first, outputs);
  EXPECT_TRUE(same_bits(kept, session.run(second)[0]));
  EXPECT_TRUE(same_bits(outputs[0], session.run(first)[0]));
  outputs = {Tensor(DType::kInt8, {3}), outputs[0], outputs[0]};
  session.run_into(first, outputs);
  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_TRUE(same_bits(outputs[0], session.run(first)[0]));
}

TEST(Session, GivesTheSameBitsPinned) {
  const Graph graph = testing::residual_block();
  const std::vector<Tensor> inputs = {random_floats({1, 8, 6, 5}, 5)};
  Session pinned(graph, {Kernels::kFast, 2, true});
  EXPECT_TRUE(same_bits(Session(graph, {Kernels::kFast, 2}).run(inputs)[0], pinned.run(inputs)[0]));
}

TEST(Session, ANetworkThatOnlyNamesItsInputOnceMoreCopiesIt) {
  for (const Kernels kernels : {Kernels::kFast, Kernels::kReference}) {
    const std::vector<Tensor> inputs = {Tensor::from<float>({3}, {1, 2, 3})};
    const auto outputs = Session(copying_network(), {kernels, 1}).run(inputs);
    EXPECT_TRUE(same_bits(outputs[0], inputs[0]));
    EXPECT_NE(outputs[0].raw().data(), inputs[0].raw().data());
  }
}

TEST(Session, TimesEveryUnitInScheduleOrder) {
  const Graph graph = testing::residual_block();
  const std::vector<Tensor> inputs = {random_floats({1, 8, 6, 5}, 5)};
  std::vector<UnitTime> times;
  Session session(graph);
  const auto outputs = session.run_timed(inputs, times);
  EXPECT_TRUE(same_bits(outputs[0], session.run(inputs)[0]));
  ASSERT_EQ(times.size(), graph.units().size());
  double total = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    EXPECT_EQ(times[i].name, graph.units()[i].name);
    EXPECT_EQ(times[i].macs, graph.units()[i].macs);
    double in_steps = 0;
    for (const StepTime& step : times[i].steps) in_steps += step.seconds;
    EXPECT_DOUBLE_EQ(times[i].seconds, in_steps);
    total += times[i].seconds;
  }
  EXPECT_GT(total, 0);
}

TEST(Session, StepsOfATimedRunFollowEachOtherAndSayWhatTheyAre) {
  std::vector<UnitTime> times;
  Session(testing::residual_block(), {Kernels::kReference, 1}).run_timed({{random_floats({1, 8, 6, 5}, 5)}}, times);
  const std::int64_t activation = 8 * 6 * 5 * 4;
  double last_end = 0;
  int convolutions = 0;
  for (const UnitTime& unit : times) {
    for (const StepTime& step : unit.steps) {
      EXPECT_GE(step.begin_s, last_end);
      last_end = step.begin_s + step.seconds;
      EXPECT_FALSE(step.kernel.empty());
      EXPECT_EQ(step.reads, DType::kFloat32);
      if (step.op == "Conv") ++convolutions;
      EXPECT_TRUE(step.op != "Relu" || step.bytes == 2 * activation) << step.bytes;
    }
  }
  EXPECT_EQ(convolutions, 2);
}

TEST(Session, NeedsLessMemoryThanAllActivationsTogether) {
  testing::NetworkBuilder network(1);
  TensorId x = network.input({1, 4, 16, 16});
  for (int i = 0; i < 10; ++i) x = network.max_pool(x);
  network.output(x);
  const std::int64_t one = 4 * 16 * 16 * 4;
  const Graph graph = network.build();
  EXPECT_LE(Session(graph, {Kernels::kReference, 1}).arena_bytes(), 2 * one);
  EXPECT_LE(Session(graph).arena_bytes(), 3 * one);  // the turned input is one more
}

TEST(Session, RefusesInputsThatDoNotFit) {
  Session session(testing::residual_block());
  const std::vector<Tensor> none;
  const std::vector<Tensor> wrong_shape = {random_floats({1, 8, 5, 6}, 1)};
  const std::vector<Tensor> wrong_type = {Tensor(DType::kUint8, {1, 8, 6, 5})};
  for (const auto* inputs : {&none, &wrong_shape, &wrong_type}) {
    try {
      session.run(*inputs);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    }
  }
}

TEST(Session, NamesNodeOperatorAndReasonOfWhatItCannotRun) {
  GraphBuilder b;
  const TensorId y = b.node("Bernoulli", {b.input("x", DType::kFloat32, {3, 3})}, {"y"}, {}, "strange")[0];
  b.set_shape(y, DType::kFloat32, {3, 3});
  b.output(y);
  try {
    const Session session(b.build());
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_STREQ(error.what(), "node 'strange' (Bernoulli): this operator is not supported");
  }
}

/// Why the only node of a network cannot run.
std::string reason(const std::string& op, DType dtype, const Shape& shape,
                   const std::map<std::string, graph::AttributeValue>& attributes = {},
                   const std::string& domain = "") {
  GraphBuilder b;
  const TensorId y = b.node(op, {b.input("x", dtype, shape)}, {"y"}, attributes, "", domain)[0];
  b.set_shape(y, dtype, shape);
  b.output(y);
  return unsupported_reason(b.build(), graph::NodeId{0}).value_or("");
}

TEST(Support, SaysWhy) {
  EXPECT_EQ(reason("Relu", DType::kFloat32, {3}), "");
  EXPECT_EQ(reason("Sigmoid", DType::kInt32, {3}), "element type int32 is not supported");
  EXPECT_EQ(reason("Relu", DType::kFloat32, {-1}), "") << "only a run can tell";
  EXPECT_EQ(reason("SequenceAt", DType::kFloat32, {3}), "sequences are not supported");
  EXPECT_EQ(reason("Gelu", DType::kFloat32, {3}, {}, "com.microsoft"),
            "operators of domain 'com.microsoft' are unknown");
  EXPECT_EQ(reason("Resize", DType::kFloat32, {1, 1, 2, 2}, {{"mode", "area"}}), "mode 'area' is not supported");
  EXPECT_EQ(reason("MaxPool", DType::kFloat32, {1, 2}), "1 to 3 spatial dimensions are supported, not 0");
}

TEST(Support, NamesInputsWhoseTypesDoNotGoTogether) {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kFloat32, {3});
  const TensorId n = b.input("n", DType::kInt32, {3});
  for (const std::string op : {"Add", "Gather"}) {
    const bool adds = op == "Add";
    const TensorId y = b.node(op, adds ? std::vector{x, n} : std::vector{n, x}, {"y_" + op})[0];
    b.set_shape(y, adds ? DType::kFloat32 : DType::kInt32, {3});
    b.output(y);
  }
  b.set_versions(13, 8);
  const graph::Graph graph = b.build();
  EXPECT_EQ(unsupported_reason(graph, graph::NodeId{0}), "element types of 'x' (float32) and 'n' (int32) differ");
  EXPECT_EQ(unsupported_reason(graph, graph::NodeId{1}), "element type float32 of 'x' is not possible there");
}

TEST(Support, ListsOperatorsSortedAndOnce) {
  const auto names = supported_operators();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_TRUE(std::binary_search(names.begin(), names.end(), std::string("Conv")));
}

}  // namespace
}  // namespace cleave::exec
