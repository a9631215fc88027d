#include "graph/sample_independence.h"

#include <gtest/gtest.h>

#include "graph/builder.h"
#include "graph/prepare.h"
#include "helpers.h"

namespace cleave::graph {
namespace {

using testing::ints;
using testing::random_tensor;

using Attributes = std::map<std::string, AttributeValue>;

/// One node behind a batch of 4 samples of 3x8x8; `more` are further inputs.
bool independent(const std::string& op, const std::vector<Tensor>& more, const Attributes& attributes = {},
                 const Shape& shape = {4, 3, 8, 8}) {
  GraphBuilder builder;
  std::vector<TensorId> inputs{builder.input("x", DType::kFloat32, shape)};
  for (const Tensor& tensor : more) {
    inputs.push_back(builder.constant("k" + std::to_string(inputs.size()), tensor));
  }
  builder.output(builder.node(op, inputs, {"y"}, attributes)[0]);
  return has_independent_samples(prepare(builder.build()));
}

TEST(SampleIndependence, HoldsWhereTheFirstDimensionIsLeftAlone) {
  EXPECT_TRUE(independent("Relu", {}));
  EXPECT_TRUE(independent("Conv", {random_tensor({5, 3, 3, 3}, 1)}));
  EXPECT_TRUE(independent("Add", {random_tensor({3, 1, 1}, 1)}));
  EXPECT_TRUE(independent("Reshape", {ints({4, 192})}));
  EXPECT_TRUE(independent("Flatten", {}));
  EXPECT_TRUE(independent("Transpose", {}, {{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}}));
  EXPECT_TRUE(independent("Softmax", {}, {{"axis", std::int64_t{1}}}));
  EXPECT_TRUE(independent("MatMul", {random_tensor({8, 5}, 1)}));
  EXPECT_TRUE(independent("Gemm", {random_tensor({8, 5}, 1)}, {}, {4, 8}));
}

TEST(SampleIndependence, IsNotClaimedWhereSamplesMayMix) {
  EXPECT_FALSE(independent("Softmax", {}, {{"axis", std::int64_t{0}}}));
  EXPECT_FALSE(independent("Transpose", {}, {{"perm", std::vector<std::int64_t>{1, 0, 2, 3}}}));
  EXPECT_FALSE(independent("Transpose", {}, {{"perm", std::vector<std::int64_t>{1, 0}}}, {4, 4}));
  EXPECT_FALSE(independent("Reshape", {ints({2, 384})}));
  EXPECT_FALSE(independent("Add", {random_tensor({4, 1, 1, 1}, 1)}));  // a value for each sample
  EXPECT_FALSE(independent("Gemm", {random_tensor({4, 4}, 1)}, {{"transA", std::int64_t{1}}}, {4, 4}));
  EXPECT_FALSE(independent("MatMul", {random_tensor({4, 3, 8, 5}, 1)}));
  EXPECT_FALSE(independent("CumSum", {Tensor::scalar<std::int64_t>(0)}));
}

TEST(SampleIndependence, FollowsBatchesThroughTheNetwork) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", DType::kFloat32, {4, 3, 8, 8});
  const TensorId a = builder.node("Relu", {x}, {"a"})[0];
  const TensorId joined = builder.node("Concat", {a, x}, {"joined"}, {{"axis", std::int64_t{1}}})[0];
  builder.output(joined);
  EXPECT_TRUE(has_independent_samples(prepare(builder.build())));
  builder.output(builder.constant("given", random_tensor({4, 2}, 1)));
  EXPECT_FALSE(has_independent_samples(prepare(builder.build())));
}

}  // namespace
}  // namespace cleave::graph
