#include <gtest/gtest.h>

#include "core/error.h"
#include "exec/session.h"
#include "random_tensor.h"
#include "support/ort.h"
#include "tap_recorder.h"
#include "text_network.h"

namespace cleave::exec {
namespace {

using testing::expect_like_onnx_runtime;
using testing::random_floats;
using testing::TextNetwork;

Tensor flag(bool value) {
  return Tensor::scalar<bool>(value);
}

Tensor number(std::int64_t value) {
  return Tensor::scalar<std::int64_t>(value);
}

/// Two branches with a convolution each; weights and x lie in the graph around them.
TextNetwork convolution_branches() {
  return TextNetwork(
      R"(
    agraph (bool c, float[1,3,8,8] x) => (float[1,4,8,8] y) {
      h = Relu(x)
      r = If (c) <
        then_branch = big () => (float[1,4,8,8] a) { a = Conv <pads = [1,1,1,1]> (h, w3, b) },
        else_branch = small () => (float[1,4,8,8] a) { n = Neg(x) a = Conv (n, w1, b) }>
      y = Sigmoid(r)
    })",
      {{"w3", random_floats({4, 3, 3, 3}, 1)}, {"w1", random_floats({4, 3, 1, 1}, 2)}, {"b", random_floats({4}, 3)}});
}

TEST(If, RunsConvolutionsOfTheBranchThatTheConditionNames) {
  CLEAVE_NEEDS_ORT();
  const Tensor x = random_floats({1, 3, 8, 8}, 5);
  expect_like_onnx_runtime(convolution_branches(), {{{"c", flag(true)}, {"x", x}}, {{"c", flag(false)}, {"x", x}}});
}

TEST(If, MakesResultsOfDifferentShapesAndWhatFollowsFits) {
  CLEAVE_NEEDS_ORT();
  const TextNetwork network(R"(
    agraph (bool c, float[2,6] x) => (float[a,b] y, int64[n] size) {
      r = If (c) <
        then_branch = wide () => (float[p,q] a) { a = Concat <axis = 1> (x, x) },
        else_branch = flat () => (float[p,q] a) { s = Constant <value_ints = [3, 4]> () a = Reshape(x, s) }>
      e = Exp(r)
      size = Shape(e)
      y = Softmax(e)
    })");
  const Tensor x = random_floats({2, 6}, 5);
  expect_like_onnx_runtime(network, {{{"c", flag(true)}, {"x", x}}, {{"c", flag(false)}, {"x", x}}});
}

TEST(If, HandsCapturedTensorsAndConstantsOnAsResults) {
  CLEAVE_NEEDS_ORT();
  const TextNetwork network(R"(
    agraph (bool c, float[2] x) => (float[2] y, float[2] z) <float[2] k = {1.0, 2.0}> {
      h = Neg(x)
      y, z = If (c) <
        then_branch = one () => (float[2] a, float[2] b) { a = Identity(h) b = Identity(k) },
        else_branch = two () => (float[2] a, float[2] b) { a = Add(k, h) b = Identity(a) }>
    })");
  const Tensor x = random_floats({2}, 5);
  expect_like_onnx_runtime(network, {{{"c", flag(true)}, {"x", x}}, {{"c", flag(false)}, {"x", x}}});
}

TEST(If, WithAKnownConditionIsInlined) {
  const TextNetwork network(R"(
    agraph (float[2,3] x) => (float[2,3] y) <int64 two = {2}, int64 zero = {0}> {
      s = Shape(x)
      rows = Gather(s, zero)
      c = Equal(rows, two)
      y = If (c) <
        then_branch = one () => (float[2,3] a) { t = Neg(x) a = Exp(t) },
        else_branch = two () => (float[2,3] a) { a = Relu(x) }>
    })");
  const graph::Graph graph = network.graph();
  ASSERT_EQ(graph.nodes().size(), 2u);
  EXPECT_EQ(graph.nodes()[0].op, "Neg");
  EXPECT_EQ(graph.nodes()[1].op, "Exp");
  EXPECT_TRUE(graph.fully_shaped());
}

TEST(If, RefusesAConditionOfSeveralValues) {
  const TextNetwork network(R"(
    agraph (bool[2] c, float[2] x) => (float[2] y) {
      y = If (c) <
        then_branch = one () => (float[2] a) { a = Neg(x) },
        else_branch = two () => (float[2] a) { a = Relu(x) }>
    })");
  Session session(network.graph());
  try {
    session.run(std::vector<Tensor>{Tensor(DType::kBool, {2}), random_floats({2}, 1)});
    FAIL() << "two conditions are no condition";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    EXPECT_STREQ(error.what(), "node 'y' (If): the condition is bool 2, not one boolean");
  }
}

TEST(If, ShowsTappedTensorsBeforeInsteadOfAndAfterIt) {
  const TextNetwork network = convolution_branches();
  const graph::Graph graph = network.graph();
  const std::vector<Tensor> inputs = {flag(true), random_floats({1, 3, 8, 8}, 5)};
  const std::vector<graph::TensorId> taps = {*graph.find("x"), *graph.find("h"), *graph.find("r"), *graph.find("y")};
  testing::TapRecorder recorder;
  Session session(graph);
  const std::vector<Tensor> outputs = session.run(inputs, taps, recorder);
  EXPECT_EQ(recorder.order(), taps);
  EXPECT_LE(testing::relative_difference(recorder.value(taps[0]), inputs[1]), 0);
  EXPECT_LE(testing::relative_difference(recorder.value(taps[3]), outputs[0]), 1e-6);
}

TEST(If, IsTimedAsANodeOfItsOwn) {
  Session session(convolution_branches().graph());
  std::vector<UnitTime> times;
  session.run_timed(std::vector<Tensor>{flag(true), random_floats({1, 3, 8, 8}, 5)}, times);
  ASSERT_EQ(times.size(), 3u);
  EXPECT_EQ(times[0].op, "Relu");
  EXPECT_EQ(times[1].op, "If");
  EXPECT_EQ(times[2].op, "Sigmoid");
}

TEST(Loop, RunsAConvolutionAgainAndAgain) {
  CLEAVE_NEEDS_ORT();
  const TextNetwork network(R"(
    agraph (int64 trips, float[1,4,6,6] x) => (float[1,4,6,6] y) <bool on = {1}> {
      y = Loop (trips, on, x) <
        body = step (int64 i, bool c, float[1,4,6,6] v) => (bool c2, float[1,4,6,6] v2) {
          c2 = Identity(c)
          t = Conv <pads = [1,1,1,1]> (v, w, b)
          v2 = Tanh(t)
        }>
    })",
                            {{"w", random_floats({4, 4, 3, 3}, 1)}, {"b", random_floats({4}, 3)}});
  const Tensor x = random_floats({1, 4, 6, 6}, 5);
  expect_like_onnx_runtime(network, {{{"trips", number(5)}, {"x", x}}, {{"trips", number(0)}, {"x", x}}});
}

/// Carries a value that grows, and collects one row per iteration until the sum of the row is large.
TextNetwork growing_loop() {
  return TextNetwork(R"(
    agraph (int64 trips, bool go, float[1,3] x, float limit) => (float[n,3] all, float[m,3] rows, int64[m] count) {
      all, rows, count = Loop (trips, go, x) <
        body = step (int64 i, bool c, float[k,3] v) => (bool c2, float[q,3] v2, float[3] row, int64 id) {
          f = Cast <to = 1> (i)
          shifted = Add(x, f)
          v2 = Concat <axis = 0> (v, shifted)
          row = ReduceSum <keepdims = 0> (v2, zero)
          total = ReduceSum <keepdims = 0> (row)
          c2 = Less(total, limit)
          id = Identity(i)
        }>
    })",
                     {{"zero", Tensor::from<std::int64_t>({1}, std::vector<std::int64_t>{0})}});
}

TEST(Loop, CarriesValuesThatGrowAndCollectsUntilItsConditionEndsIt) {
  CLEAVE_NEEDS_ORT();
  const Tensor x = random_floats({1, 3}, 5, 0, 1);
  const Tensor limit = Tensor::scalar<float>(40);
  expect_like_onnx_runtime(growing_loop(), {{{"trips", number(3)}, {"go", flag(true)}, {"x", x}, {"limit", limit}},
                                            {{"trips", number(100)}, {"go", flag(true)}, {"x", x}, {"limit", limit}},
                                            {{"trips", number(0)}, {"go", flag(true)}, {"x", x}, {"limit", limit}},
                                            {{"trips", number(9)}, {"go", flag(false)}, {"x", x}, {"limit", limit}}});
}

TEST(Loop, HoldsAnIfThatReadsTheOutermostGraph) {
  CLEAVE_NEEDS_ORT();
  const TextNetwork network(R"(
    agraph (int64 trips, float[2,2] x) => (float[2,2] y) <bool on = {1}, int64 two = {2}, float half = {0.5}> {
      h = Neg(x)
      y = Loop (trips, on, x) <
        body = step (int64 i, bool c, float[2,2] v) => (bool c2, float[2,2] v2) {
          c2 = Identity(c)
          m = Mod(i, two)
          odd = Cast <to = 9> (m)
          v2 = If (odd) <
            then_branch = one () => (float[2,2] a) { s = Mul(v, half) a = Add(s, h) },
            else_branch = two () => (float[2,2] a) { s = Loop (two, on, v) <
               body = inner (int64 j, bool d, float[2,2] u) => (bool d2, float[2,2] u2) {
                 d2 = Identity(d) f = Cast <to = 1> (i) g = Add(u, f) u2 = Mul(g, h) }>
               a = Sub(s, x) }>
        }>
    })");
  const Tensor x = random_floats({2, 2}, 5);
  expect_like_onnx_runtime(network, {{{"trips", number(4)}, {"x", x}}, {{"trips", number(1)}, {"x", x}}});
}

TEST(Loop, SlicesByItsIterationNumber) {
  CLEAVE_NEEDS_ORT();
  const TextNetwork network(R"(
    agraph (float[50,4] x) => (float[50,4] y, float[m,4] tail) <int64 n = {50}, bool on = {1}, int64 one = {1},
                                                               int64[1] zero = {0}> {
      first = Constant <value_ints = [0]> ()
      start = Slice (x, first, zero, zero)
      tail, y = Loop (n, on, start) <
        body = step (int64 i, bool c, float[k,4] v) => (bool c2, float[q,4] v2, float[4] row) {
          c2 = Identity(c)
          from = Unsqueeze(i, zero)
          j = Add(i, one)
          to = Unsqueeze(j, zero)
          piece = Slice(x, from, to, zero)
          v2 = Concat <axis = 0> (v, piece)
          row = ReduceSum <keepdims = 0> (piece, zero)
        }>
    })");
  expect_like_onnx_runtime(network, {{{"x", random_floats({50, 4}, 5)}}});
}

TEST(Loop, RefusesScanOutputsThatChangeTheirShape) {
  const TextNetwork network(R"(
    agraph (int64 trips, float[1,3] x) => (float[m,k,3] rows) <bool on = {1}> {
      all, rows = Loop (trips, on, x) <
        body = step (int64 i, bool c, float[k,3] v) => (bool c2, float[q,3] v2, float[r,3] row) {
          c2 = Identity(c) v2 = Concat <axis = 0> (v, x) row = Identity(v2) }>
    })");
  Session session(network.graph());
  EXPECT_NO_THROW(session.run(std::vector<Tensor>{number(1), random_floats({1, 3}, 1)}));
  try {
    session.run(std::vector<Tensor>{number(2), random_floats({1, 3}, 1)});
    FAIL() << "rows of different height cannot be stacked";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "node 'all' (Loop): scan output 0 is 3x3 in iteration 1, but was 2x3");
  }
}

TEST(Scan, WalksItsInputsAlongAnyAxisInBothDirections) {
  CLEAVE_NEEDS_ORT();
  const TextNetwork network(R"(
    agraph (float[3] s, float[4,3] x, float[3,4] z) => (float[3] last, float[3,4] sums, float[4,3] products) {
      k = Exp(s)
      last, sums, products = Scan <num_scan_inputs = 2, scan_input_axes = [0, 1], scan_input_directions = [0, 1],
                                   scan_output_axes = [1, 0], scan_output_directions = [0, 1],
        body = step (float[3] a, float[3] b, float[3] c) => (float[3] a2, float[3] sum, float[3] product) {
          a2 = Add(a, b) sum = Mul(a2, k) product = Mul(b, c) }> (s, x, z)
    })");
  expect_like_onnx_runtime(
      network, {{{"s", random_floats({3}, 1)}, {"x", random_floats({4, 3}, 2)}, {"z", random_floats({3, 4}, 3)}}});
}

TEST(ControlFlow, NamesWhatCannotRunInside) {
  const TextNetwork network(R"(
    agraph (bool c, float[2] x) => (float[2] y) {
      y = If (c) <
        then_branch = one () => (float[2] a) { n = SequenceConstruct(x) a = ConcatFromSequence <axis = 0> (n) },
        else_branch = two () => (float[2] a) { a = Relu(x) }>
    })");
  const graph::Graph graph = network.graph();
  const auto reason = unsupported_reason(graph, graph::NodeId{0});
  ASSERT_TRUE(reason);
  EXPECT_EQ(*reason, "in its then_branch, node 'n' (SequenceConstruct): sequences are not supported");
}

}  // namespace
}  // namespace cleave::exec
