#include <gtest/gtest.h>

#include <algorithm>

#include "exec/executor.h"
#include "exec/session.h"
#include "small_networks.h"

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::TensorId;
using testing::NetworkBuilder;
using testing::random_floats;
using testing::relative_difference;

/// x -> Conv 3x3 -> `tail` -> y, on a tensor of this shape.
struct Case {
  Shape shape;
  std::int64_t channels;
  std::string tail;  ///< letters: r Relu, c Clip, i SiLU, s a sum with a second convolution of x
};

Graph network_of(const Case& c) {
  NetworkBuilder b(static_cast<std::uint64_t>(c.channels));
  const TensorId x = b.input(c.shape);
  TensorId y = b.conv(x, c.channels, 3);
  for (const char step : c.tail) {
    if (step == 'r') y = b.like_first("Relu", {y});
    if (step == 'c') y = b.clip(y, -0.25f, 0.5f);
    if (step == 'i') y = b.silu(y);
    if (step == 's') y = b.like_first("Add", {b.conv(x, c.channels, 1), y});
  }
  b.output(y);
  return b.build();
}

std::string text_of(const Case& c) {
  return shape_text(c.shape) + " -> " + std::to_string(c.channels) + " " + c.tail;
}

// FastKernels, so that older instruction sets run it too.
TEST(FastKernels, ThreeByThreeConvolutionsOfEverySizeAgreeWithReferenceKernels) {
  const Case cases[] = {{{1, 16, 8, 8}, 16, ""},     {{1, 16, 9, 7}, 24, "r"},   {{2, 40, 13, 18}, 33, "s"},
                        {{1, 17, 23, 6}, 70, "rsr"}, {{3, 64, 5, 31}, 16, "sc"}, {{1, 8, 30, 30}, 8, "c"},
                        {{1, 100, 4, 4}, 48, "csc"}, {{1, 32, 1, 50}, 32, "sr"}, {{1, 12, 20, 24}, 16, "i"},
                        {{1, 20, 3, 5}, 24, "sri"}};
  for (const Case& c : cases) {
    const Graph graph = network_of(c);
    const std::vector<Tensor> inputs = {random_floats(c.shape, 5)};
    const auto expected = Session(graph, {Kernels::kReference, 1}).run(inputs);
    for (const int threads : {1, 2, 3}) {
      const auto result = Session(graph, {Kernels::kFast, threads}).run(inputs);
      EXPECT_LE(relative_difference(result[0], expected[0]), 1e-5) << text_of(c) << ", " << threads << " threads";
    }
  }
}

TEST(FastKernels, WinogradGivesTheSameBitsForAnyNumberOfThreads) {
  const Graph graph = network_of({{1, 32, 40, 36}, 32, "rsr"});
  const std::vector<Tensor> inputs = {random_floats({1, 32, 40, 36}, 6)};
  const auto one = Session(graph, {Kernels::kFast, 1}).run(inputs);
  for (const int threads : {2, 3, 5}) {
    const auto several = Session(graph, {Kernels::kFast, threads}).run(inputs);
    EXPECT_TRUE(std::equal(one[0].raw().begin(), one[0].raw().end(), several[0].raw().begin())) << threads;
  }
}

}  // namespace
}  // namespace cleave::exec
