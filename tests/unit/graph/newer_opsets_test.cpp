#include <gtest/gtest.h>

#include "graph/builder.h"
#include "graph/onnx_read.h"

namespace cleave::graph {
namespace {

using Attributes = std::map<std::string, AttributeValue>;

struct Given {
  std::vector<Shape> inputs;                        ///< float32 inputs
  std::vector<std::vector<std::int64_t>> integers;  ///< constants behind them; an empty one is left out
  Attributes attributes;
  std::size_t outputs = 1;
};

/// Shapes that are inferred for the outputs of one node.
std::vector<Shape> inferred(const std::string& op, int opset, const Given& given) {
  GraphBuilder builder;
  builder.set_versions(opset, 9);
  std::vector<TensorId> inputs;
  for (const Shape& shape : given.inputs) {
    inputs.push_back(builder.input("x" + std::to_string(inputs.size()), DType::kFloat32, shape));
  }
  for (const auto& values : given.integers) {
    const auto count = static_cast<std::int64_t>(values.size());
    const std::string name = "k" + std::to_string(inputs.size());
    inputs.push_back(values.empty() ? TensorId::kNone
                                    : builder.constant(name, Tensor::from<std::int64_t>({count}, values)));
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < given.outputs; ++i) names.push_back("y" + std::to_string(i));
  for (const TensorId id : builder.node(op, inputs, names, given.attributes)) builder.output(id);
  const auto types = infer_types(builder.build());
  std::vector<Shape> shapes;
  for (const std::string& name : names) shapes.push_back(types.at(name).shape);
  return shapes;
}

TEST(NewerOpsets, ReductionsTakeTheirAxesAsAnInput) {
  EXPECT_EQ(inferred("ReduceMean", 18, {{{2, 3, 4}}, {{1}}, {}})[0], (Shape{2, 1, 4}));
  EXPECT_EQ(inferred("ReduceMax", 18, {{{2, 3, 4}}, {{-1}}, {{"keepdims", std::int64_t{0}}}})[0], (Shape{2, 3}));
}

TEST(NewerOpsets, SplitCountsItsOutputs) {
  const auto pieces =
      inferred("Split", 18, {{{2, 7}}, {}, {{"axis", std::int64_t{1}}, {"num_outputs", std::int64_t{3}}}, 3});
  EXPECT_EQ(pieces, (std::vector<Shape>{{2, 3}, {2, 3}, {2, 1}}));
}

TEST(NewerOpsets, PadTakesAxes) {
  EXPECT_EQ(inferred("Pad", 18, {{{2, 3, 4}}, {{1, 2}, {}, {-1}}, {}})[0], (Shape{2, 3, 7}));
}

TEST(NewerOpsets, ResizeKeepsTheAspectRatio) {
  const auto resized = [](const std::string& policy) {
    const Attributes attributes = {{"axes", std::vector<std::int64_t>{2, 3}}, {"keep_aspect_ratio_policy", policy}};
    return inferred("Resize", 18, {{{1, 3, 9, 7}}, {{}, {}, {13, 12}}, attributes})[0];
  };
  EXPECT_EQ(resized("stretch"), (Shape{1, 3, 13, 12}));
  EXPECT_EQ(resized("not_larger"), (Shape{1, 3, 13, 10}));   // 13 / 9 of 7 is 10.1
  EXPECT_EQ(resized("not_smaller"), (Shape{1, 3, 15, 12}));  // 12 / 7 of 9 is 15.4
}

TEST(NewerOpsets, OperatorsThatAreNewKeepTheShape) {
  EXPECT_EQ(inferred("GroupNormalization", 21, {{{1, 4, 5}, {4}, {4}}, {}, {{"num_groups", std::int64_t{2}}}})[0],
            (Shape{1, 4, 5}));
  EXPECT_EQ(inferred("Gelu", 20, {{{3, 4}}, {}, {}})[0], (Shape{3, 4}));
}

TEST(NewerOpsets, QuantizedTypesFollowOutputDtypeAndScale) {
  GraphBuilder builder;
  builder.set_versions(21, 10);
  const TensorId x = builder.input("x", DType::kFloat32, {3, 4});
  const TensorId scale = builder.constant("s", Tensor::scalar(0.5f));
  const TensorId codes = builder.node("QuantizeLinear", {x, scale}, {"codes"}, {{"output_dtype", std::int64_t{22}}})[0];
  builder.output(builder.node("DequantizeLinear", {codes, scale}, {"y"}, {})[0]);
  const auto types = infer_types(builder.build());
  EXPECT_EQ(types.at("codes").dtype, DType::kInt4);
  EXPECT_EQ(types.at("y").dtype, DType::kFloat32);
  EXPECT_EQ(types.at("y").shape, (Shape{3, 4}));
}

TEST(NewerOpsets, PoolingLeavesOutAWindowThatStartsInThePadding) {
  // Windows at -1, 1, 3 and 5: the last begins behind the 5 pixels, in the padding.
  const Attributes pool = {{"kernel_shape", std::vector<std::int64_t>{2}},
                           {"strides", std::vector<std::int64_t>{2}},
                           {"pads", std::vector<std::int64_t>{1, 1}},
                           {"ceil_mode", std::int64_t{1}}};
  EXPECT_EQ(inferred("MaxPool", 13, {{{1, 1, 5}}, {}, pool})[0], (Shape{1, 1, 3}));
}

}  // namespace
}  // namespace cleave::graph
