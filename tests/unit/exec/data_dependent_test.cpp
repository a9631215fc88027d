#include <gtest/gtest.h>

#include "core/error.h"
#include "exec/session.h"
#include "exec/staged/session_cache.h"
#include "graph/prepare.h"
#include "random_tensor.h"
#include "support/ort.h"
#include "tap_recorder.h"
#include "text_network.h"

namespace cleave::exec {
namespace {

using testing::expect_like_onnx_runtime;
using testing::Numbers;
using testing::random_floats;
using testing::TextNetwork;

Tensor ints(const std::vector<std::int64_t>& values) {
  return Tensor::from<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}

template <typename T>
void expect_values(const Tensor& tensor, const Shape& shape, const std::vector<T>& values) {
  ASSERT_EQ(tensor.dtype(), dtype_of<T>());
  EXPECT_EQ(tensor.shape(), shape);
  EXPECT_EQ(std::vector<T>(tensor.data<T>().begin(), tensor.data<T>().end()), values);
}

/// The tail of a one-shot detector: convolutions make boxes and scores, suppression chooses, gathers collect.
TextNetwork detector() {
  return TextNetwork(
      R"(
    agraph (float[1,3,16,16] image, float[1] floor) => (float[n,4] boxes, float[n,1] scores, int64[n] classes) {
      f = Conv <pads = [1,1,1,1], strides = [2,2]> (image, w, b)
      g = Relu(f)
      box_map = Conv (g, wb)
      score_map = Conv (g, ws)
      box_rows = Transpose <perm = [0,2,3,1]> (box_map)
      box_shape = Constant <value_ints = [1, -1, 4]> ()
      raw = Reshape(box_rows, box_shape)
      all = Sigmoid(raw)
      score_shape = Constant <value_ints = [1, 5, -1]> ()
      score_rows = Reshape(score_map, score_shape)
      probable = Sigmoid(score_rows)
      most = Constant <value_ints = [7]> ()
      overlap = Constant <value_floats = [0.4]> ()
      picked = NonMaxSuppression <center_point_box = 1> (all, probable, most, overlap, floor)
      two = Constant <value_int = 2> ()
      one = Constant <value_int = 1> ()
      which = Gather <axis = 1> (picked, two)
      classes = Gather <axis = 1> (picked, one)
      zero = Constant <value_ints = [0]> ()
      flat = Squeeze(all, zero)
      boxes = Gather(flat, which)
      best = ReduceMax <axes = [1], keepdims = 0> (probable)
      best_column = Transpose (best)
      scores = Gather(best_column, which)
    })",
      {{"w", random_floats({8, 3, 3, 3}, 1)},
       {"b", random_floats({8}, 2)},
       {"wb", random_floats({8, 8, 1, 1}, 3)},
       {"ws", random_floats({10, 8, 1, 1}, 4)}});
}

TEST(DataDependent, RunsADetectorsSuppressionAndWhatFollows) {
  CLEAVE_NEEDS_ORT();
  std::vector<std::map<std::string, Tensor>> runs;
  for (const float floor : {0.0F, 0.6F, 0.9F, 2.0F}) {  // the last one keeps nothing
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      runs.push_back({{"image", random_floats({1, 3, 16, 16}, 10 + seed)},
                      {"floor", Tensor::from<float>({1}, std::vector<float>{floor})}});
    }
  }
  expect_like_onnx_runtime(detector(), runs);
}

TEST(DataDependent, NamesTheTensorWhereShapesMustBeKnown) {
  try {
    graph::prepare(detector().model());
    FAIL() << "a suppression's count is not known before";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_NE(std::string(error.what()).find("node 'picked' (NonMaxSuppression): the shape of its output 'picked'"),
              std::string::npos)
        << error.what();
  }
}

TEST(DataDependent, FollowsChainsOfNonZeroUniqueAndCompress) {
  CLEAVE_NEEDS_ORT();
  const TextNetwork network(R"(
    agraph (float[4,5] x, float[1] t) => (float[n] values, float[m] distinct, float[k,5] kept, int64[2] counts) {
      above = Greater(x, t)
      where = NonZero(above)
      at = Transpose(where)
      values = GatherND(x, at)
      rounded = Round(values)
      distinct = Unique(rounded)
      rows = ReduceMax <axes = [1], keepdims = 0> (x)
      keep = Greater(rows, t)
      kept = Compress <axis = 0> (x, keep)
      n = Shape(values)
      m = Shape(distinct)
      counts = Concat <axis = 0> (n, m)
    })");
  std::vector<std::map<std::string, Tensor>> runs;
  for (const float threshold : {-9.0F, 0.0F, 2.5F, 9.0F}) {
    runs.push_back(
        {{"x", random_floats({4, 5}, 3, -4, 4)}, {"t", Tensor::from<float>({1}, std::vector<float>{threshold})}});
  }
  expect_like_onnx_runtime(network, runs);
}

TEST(DataDependent, TakesShapesAndSizesAsInputs) {
  CLEAVE_NEEDS_ORT();
  const TextNetwork network(R"(
    agraph (float[2,3,4] x, int64[2] shape, int64[3] repeats, int64[1] start, int64[1] end, int64[6] pads,
            int64[4] larger, int64[4] sizes, int64 limit)
        => (float[a,b] reshaped, float[c,d,e] tiled, float[f,g,h] sliced, float[i,j,l] padded, float[m,n,o,p] expanded,
            float[t,u,v,w] resized, int64[z] counted, float[aa,bb] filled, float[cc,dd] after) {
      reshaped = Reshape(x, shape)
      tiled = Tile(x, repeats)
      sliced = Slice(x, start, end)
      padded = Pad(x, pads)
      expanded = Expand(x, larger)
      axis = Constant <value_ints = [0]> ()
      image = Unsqueeze(x, axis)
      resized = Resize <mode = "nearest", coordinate_transformation_mode = "asymmetric", nearest_mode = "floor">
                (image, , , sizes)
      zero = Constant <value_int = 0> ()
      one = Constant <value_int = 1> ()
      counted = Range(zero, limit, one)
      filled = ConstantOfShape(shape)
      sum = Add(reshaped, filled)
      after = Exp(sum)
    })");
  Numbers random(11);
  std::vector<std::map<std::string, Tensor>> runs;
  for (int i = 0; i < 6; ++i) {
    const std::vector<std::int64_t> rows{1, 2, 3, 4, 6, 8, 12, 24};
    const std::int64_t height = rows[static_cast<std::size_t>(random.integer(0, 7))];
    const std::int64_t start = random.integer(0, 1);
    runs.push_back({{"x", random_floats({2, 3, 4}, static_cast<std::uint64_t>(i))},
                    {"shape", ints({height, 24 / height})},
                    {"repeats", ints({random.integer(1, 3), random.integer(0, 2), 1})},
                    {"start", ints({start})},
                    {"end", ints({random.integer(start, 2)})},
                    {"pads", ints({0, random.integer(0, 2), 1, random.integer(0, 2), 0, 3})},
                    {"larger", ints({random.integer(1, 3), 2, 3, 4})},
                    {"sizes", ints({1, 2, random.integer(1, 7), random.integer(1, 7)})},
                    {"limit", Tensor::scalar<std::int64_t>(random.integer(0, 9))}});
  }
  expect_like_onnx_runtime(network, runs);
}

TEST(DataDependent, WorksOnShapesThatAreComputedFromData) {
  CLEAVE_NEEDS_ORT();
  const TextNetwork network(R"(
    agraph (float[1,3,8,8] x, float[2] scale) => (float[n,c,h,w] y) {
      s = Shape(x)
      zero = Constant <value_ints = [0]> ()
      two = Constant <value_ints = [2]> ()
      four = Constant <value_ints = [4]> ()
      head = Slice(s, zero, two)
      tail = Slice(s, two, four)
      real = Cast <to = 1> (tail)
      scaled = Mul(real, scale)
      whole = Cast <to = 7> (scaled)
      size = Concat <axis = 0> (head, whole)
      z = Resize <mode = "linear", coordinate_transformation_mode = "half_pixel"> (x, , , size)
      y = Conv <pads = [1,1,1,1]> (z, w)
    })",
                            {{"w", random_floats({4, 3, 3, 3}, 1)}});
  std::vector<std::map<std::string, Tensor>> runs;
  for (const float factor : {0.5F, 1.0F, 1.75F, 2.0F}) {
    runs.push_back(
        {{"x", random_floats({1, 3, 8, 8}, 2)}, {"scale", Tensor::from<float>({2}, std::vector<float>{factor, 2.0F})}});
  }
  expect_like_onnx_runtime(network, runs);
}

graph::Graph doubling() {
  return TextNetwork(R"(agraph (float[a,b] x) => (float[a,b] y) { y = Add(x, x) })").model().graph();
}

TEST(DataDependent, RunsIntoTheCallersOutputsWhateverTheyHold) {
  Session session(TextNetwork(R"(
    agraph (float[4] x) => (float[4] twice, int64[1,n] places) {
      twice = Add(x, x)
      places = NonZero(twice)
    })")
                      .graph());
  const auto x = [](std::vector<float> values) { return std::vector<Tensor>{Tensor::from<float>({4}, values)}; };
  std::vector<Tensor> outputs = {Tensor(DType::kInt8, {3}), Tensor(DType::kInt64, {1, 2}), Tensor::scalar(1.0F)};
  session.run_into(x({0, 1, 0, 2}), outputs);
  ASSERT_EQ(outputs.size(), 2u);
  expect_values<float>(outputs[0], {4}, {0, 2, 0, 4});
  expect_values<std::int64_t>(outputs[1], {1, 2}, {1, 3});
  const std::vector<Tensor> kept = outputs;
  session.run_into(x({1, 1, 3, 0}), outputs);
  expect_values<float>(outputs[0], {4}, {2, 2, 6, 0});
  expect_values<std::int64_t>(outputs[1], {1, 3}, {0, 1, 2});
  expect_values<float>(kept[0], {4}, {0, 2, 0, 4});
  expect_values<std::int64_t>(kept[1], {1, 2}, {1, 3});
  testing::TapRecorder recorder;
  const std::vector<graph::TensorId> taps = {*session.graph().find("twice")};
  session.run_into(x({0, 0, 0, 5}), taps, recorder, outputs);
  expect_values<float>(recorder.value(taps[0]), {4}, {0, 0, 0, 10});
  expect_values<std::int64_t>(outputs[1], {1, 1}, {3});
}

TEST(SessionCache, CompilesEachShapeOnceAndForgetsTheOldest) {
  SessionCache cache(doubling(), {});
  for (int round = 0; round < 2; ++round) {
    for (std::int64_t rows = 1; rows <= 5; ++rows) {
      const std::vector<Tensor> inputs{random_floats({rows, 3}, 1)};
      EXPECT_EQ(cache.run(inputs)[0].shape(), (Shape{rows, 3}));
    }
    EXPECT_EQ(cache.size(), 5u);
  }
  const Session* kept = nullptr;
  for (std::int64_t rows = 1; rows <= 3 * static_cast<std::int64_t>(SessionCache::kMostSessions); ++rows) {
    const std::vector<Tensor> five{random_floats({5, 3}, 1)};
    Session* session = &cache.session_for(five);
    if (kept == nullptr) kept = session;
    EXPECT_EQ(session, kept) << "what is used all the time stays";
    cache.run(std::vector<Tensor>{random_floats({rows, 7}, 1)});
    EXPECT_LE(cache.size(), SessionCache::kMostSessions);
  }
}

}  // namespace
}  // namespace cleave::exec
