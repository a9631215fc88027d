#include <gtest/gtest.h>

#include <cmath>

#include "graph/fold/evaluate.h"
#include "helpers.h"
#include "support/ort.h"

namespace cleave::graph {
namespace {

using testing::error_of;
using testing::ints;
using testing::random_tensor;

using Attributes = std::map<std::string, AttributeValue>;
using Integers = std::vector<std::int64_t>;

/// One operator call on constants.
struct Case {
  std::string op;
  std::vector<Tensor> inputs;
  Attributes attributes;
  std::vector<std::string> outputs = {"y"};
};

struct Built {
  Graph graph;
  NodeId node;
};

/// The call as a graph whose inputs are constants.
Built build(const Case& call) {
  GraphBuilder builder;
  std::vector<TensorId> ids;
  for (const Tensor& value : call.inputs) {
    ids.push_back(value.empty() ? TensorId::kNone : builder.constant("in" + std::to_string(ids.size()), value));
  }
  for (const TensorId id : builder.node(call.op, ids, call.outputs, call.attributes)) builder.output(id);
  return {builder.build(), NodeId{0}};
}

std::optional<std::vector<Tensor>> evaluated(const Case& call) {
  const Built built = build(call);
  return evaluate(built.graph, built.node, [&](TensorId id) { return built.graph.constant(id); });
}

Tensor single(const Case& call) {
  const auto values = evaluated(call);
  EXPECT_TRUE(values && values->size() == 1) << call.op;
  return values ? values->front() : Tensor{};
}

Tensor int32s(const std::vector<std::int32_t>& values) {
  return Tensor::from<std::int32_t>({static_cast<std::int64_t>(values.size())}, values);
}

Tensor bools(const std::vector<int>& values) {
  Tensor tensor(DType::kBool, {static_cast<std::int64_t>(values.size())});
  for (std::size_t i = 0; i < values.size(); ++i) tensor.mutable_raw()[i] = static_cast<std::byte>(values[i]);
  return tensor;
}

std::vector<Case> movements() {
  const Tensor x = random_tensor({2, 3, 4}, 1);
  const Tensor data = ints({5, 6, 7, 8, 9});
  const auto to = [](DType type) { return Attributes{{"to", static_cast<std::int64_t>(type)}}; };
  return {
      {"Reshape", {x, ints({0, -1})}, {}},
      {"Reshape", {x, ints({4, 6})}, {}},
      {"Flatten", {x}, {{"axis", std::int64_t{2}}}},
      {"Flatten", {x}, {{"axis", std::int64_t{0}}}},
      {"Flatten", {x}, {{"axis", std::int64_t{-1}}}},
      {"Squeeze", {random_tensor({1, 3, 1, 2}, 2), ints({0, -2})}, {}},
      {"Squeeze", {random_tensor({1, 3, 1, 2}, 2)}, {}},
      {"Unsqueeze", {x, ints({-1, 0, 2})}, {}},
      {"Transpose", {x}, {{"perm", Integers{2, 0, 1}}}},
      {"Transpose", {x}, {}},
      {"Slice", {x, ints({1, -3}), ints({3, 100}), ints({1, 2})}, {}},
      {"Slice", {x, ints({-1, 3}), ints({-100, 0}), ints({1, 2}), ints({-1, -2})}, {}},
      {"Slice", {x, ints({0}), ints({INT64_MAX}), ints({2}), ints({3})}, {}},
      {"Slice", {x, ints({3}), ints({INT64_MIN}), ints({2}), ints({-1})}, {}},
      {"Gather", {x, ints({2, 0, -1})}, {{"axis", std::int64_t{1}}}},
      {"Gather", {data, Tensor::scalar<std::int64_t>(2)}, {}},
      {"Concat", {x, random_tensor({2, 2, 4}, 3), x}, {{"axis", std::int64_t{-2}}}},
      {"Split", {x, ints({1, 3})}, {{"axis", std::int64_t{2}}}, {"a", "b"}},
      {"Split", {x}, {{"axis", std::int64_t{2}}}, {"a", "b"}},
      {"Expand", {random_tensor({3, 1}, 4), ints({2, 1, 4})}, {}},
      {"Expand", {random_tensor({3, 1}, 4), ints({1, 1})}, {}},
      {"Tile", {x, ints({2, 1, 3})}, {}},
      {"Range",
       {Tensor::scalar<std::int64_t>(3), Tensor::scalar<std::int64_t>(-8), Tensor::scalar<std::int64_t>(-3)},
       {}},
      {"Range",
       {Tensor::scalar<std::int32_t>(0), Tensor::scalar<std::int32_t>(7), Tensor::scalar<std::int32_t>(2)},
       {}},
      {"ConstantOfShape", {ints({2, 3})}, {{"value", ints({7})}}},
      {"ConstantOfShape", {ints({2})}, {}},
      {"Shape", {x}, {}},
      {"Size", {x}, {}},
      {"Identity", {x}, {}},
      {"Cast", {Tensor::from<float>({4}, {-1.7F, 0.0F, 2.9F, 100.0F})}, to(DType::kInt32)},
      {"Cast", {Tensor::from<float>({3}, {-1.7F, 0.0F, 2.9F})}, to(DType::kBool)},
      {"Cast", {ints({-3, 0, 1'000'000'007})}, to(DType::kFloat32)},
      {"Cast", {ints({-3, 0, 9})}, to(DType::kInt32)},
      {"Cast", {int32s({-3, 0, 9})}, to(DType::kInt64)},
      {"Cast", {bools({1, 0})}, to(DType::kFloat32)},
      {"Where", {bools({1, 0, 1}), Tensor::from<float>({2, 1}, {1, 2}), Tensor::from<float>({3}, {7, 8, 9})}, {}},
  };
}

std::vector<Case> calculations() {
  const Tensor a = random_tensor({2, 3, 4}, 5, 0.5F, 3.0F);
  const Tensor b = random_tensor({3, 1}, 6, 0.5F, 3.0F);
  const Tensor i = ints({-7, 8, 9});
  const Tensor j = ints({2, -3, 4});
  std::vector<Case> cases;
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Pow", "Min", "Max"}) cases.push_back({op, {a, b}, {}});
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Min", "Max"}) cases.push_back({op, {i, j}, {}});
  for (const char* op : {"Equal", "Less", "Greater"}) {
    cases.push_back({op, {i, ints({-7, 9, 9})}, {}});
    cases.push_back({op, {a, a}, {}});
  }
  cases.push_back({"Max", {a, b, random_tensor({1}, 7)}, {}});
  for (const char* op : {"Sqrt", "Exp", "Log", "Neg", "Abs", "Reciprocal"}) cases.push_back({op, {a}, {}});
  const Tensor halves = Tensor::from<float>({6}, {-1.5F, -0.5F, 0.5F, 1.5F, 2.5F, 2.4F});
  for (const char* op : {"Floor", "Ceil", "Round", "Abs", "Neg"}) cases.push_back({op, {halves}, {}});
  cases.push_back({"Neg", {i}, {}});
  cases.push_back({"And", {bools({1, 1, 0}), bools({1, 0, 0})}, {}});
  cases.push_back({"Or", {bools({1, 1, 0}), bools({1, 0, 0})}, {}});
  cases.push_back({"Not", {bools({1, 0})}, {}});
  cases.push_back({"Equal", {bools({1, 1, 0}), bools({1, 0, 0})}, {}});
  for (const char* op : {"ReduceMax", "ReduceMin", "ReduceProd"}) {
    cases.push_back({op, {a}, {{"axes", Integers{0, -1}}, {"keepdims", std::int64_t{0}}}});
    cases.push_back({op, {a}, {}});
  }
  cases.push_back({"ReduceSum", {a, ints({1})}, {}});
  cases.push_back({"ReduceProd", {ints({2, 3, 7})}, {{"keepdims", std::int64_t{0}}}});
  return cases;
}

/// All cases in one network with the values as inputs, so that the oracle cannot fold either.
void expect_like_onnx_runtime(const std::vector<Case>& cases) {
  GraphBuilder builder;
  std::map<std::string, Tensor> inputs;
  std::map<std::string, Tensor> expected;
  for (std::size_t c = 0; c < cases.size(); ++c) {
    const Case& call = cases[c];
    const std::string prefix = "case" + std::to_string(c) + "_";
    const auto values = evaluated(call);
    ASSERT_TRUE(values) << call.op << " of case " << c << " is not folded";
    std::vector<TensorId> ids;
    for (const Tensor& value : call.inputs) {
      const std::string name = prefix + "in" + std::to_string(ids.size());
      inputs[name] = value;
      ids.push_back(builder.input(name, value.dtype(), value.shape()));
    }
    std::vector<std::string> names;
    for (const std::string& output : call.outputs) names.push_back(prefix + output);
    const std::vector<TensorId> made = builder.node(call.op, ids, names, call.attributes);
    ASSERT_EQ(values->size(), made.size()) << call.op;
    for (std::size_t i = 0; i < made.size(); ++i) {
      builder.set_shape(made[i], (*values)[i].dtype(), (*values)[i].shape());
      builder.output(made[i]);
      expected[names[i]] = (*values)[i];
    }
  }
  const auto got = testing::run(builder.build(), inputs);
  for (const auto& [name, tensor] : expected) {
    const std::size_t c = std::stoul(name.substr(4));
    EXPECT_LE(testing::difference({{name, got.at(name)}}, {{name, tensor}}), 1e-6) << cases[c].op << ", " << name;
  }
}

TEST(Folding, MovesValuesAsOnnxRuntimeDoes) {
  CLEAVE_NEEDS_ORT();
  expect_like_onnx_runtime(movements());
}

TEST(Folding, CalculatesAsOnnxRuntimeDoes) {
  CLEAVE_NEEDS_ORT();
  expect_like_onnx_runtime(calculations());
}

TEST(Folding, KnowsTheAttributeFormsOfOlderOpsets) {
  const Tensor x = Tensor::from<float>({1, 4}, {1, 2, 3, 4});
  EXPECT_EQ(single({"Squeeze", {x}, {{"axes", Integers{0}}}}).shape(), (Shape{4}));
  EXPECT_EQ(single({"Unsqueeze", {x}, {{"axes", Integers{0, 3}}}}).shape(), (Shape{1, 1, 4, 1}));
  const Tensor part = single({"Slice", {x}, {{"starts", Integers{1}}, {"ends", Integers{3}}, {"axes", Integers{1}}}});
  EXPECT_EQ(part.shape(), (Shape{1, 2}));
  EXPECT_EQ(part.data<float>()[0], 2.0F);
}

TEST(Folding, ShapeNeedsNoValue) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", DType::kFloat32, {2, 3, 5});
  builder.output(builder.node("Shape", {x}, {"s"}, {{"start", std::int64_t{-2}}})[0]);
  builder.set_versions(15, 8);
  const Graph graph = builder.build();
  const auto values = evaluate(graph, NodeId{0}, [](TensorId) { return nullptr; });
  ASSERT_TRUE(values);
  const auto sizes = values->front().data<std::int64_t>();
  EXPECT_EQ(Integers(sizes.begin(), sizes.end()), (Integers{3, 5}));
}

TEST(Folding, LeavesAloneWhatItCannotKnow) {
  const Tensor x = random_tensor({2}, 1);
  EXPECT_FALSE(evaluated({"Relu", {x}, {}}));  // not in the table
  EXPECT_FALSE(evaluated({"Add", {x, ints({1, 2})}, {}}));
  EXPECT_FALSE(evaluated({"Cast", {Tensor::from<float>({1}, {1e30F})}, {{"to", std::int64_t{7}}}}));
  const auto nan = static_cast<float>(std::nan(""));
  EXPECT_FALSE(evaluated({"Cast", {Tensor::from<float>({1}, {nan})}, {{"to", std::int64_t{7}}}}));
}

TEST(Folding, KeepsWithinItsBudget) {
  EXPECT_FALSE(evaluated({"ConstantOfShape", {ints({kMostFoldedElements + 1})}, {}}));
  EXPECT_FALSE(evaluated({"Expand", {random_tensor({1}, 1), ints({1 << 20, 1 << 20})}, {}}));
  EXPECT_FALSE(evaluated({"Tile", {ints({1, 2}), ints({1 << 30})}, {}}));
  EXPECT_FALSE(evaluated({"Range",
                          {Tensor::scalar<std::int64_t>(0), Tensor::scalar<std::int64_t>(std::int64_t{1} << 40),
                           Tensor::scalar<std::int64_t>(1)},
                          {}}));
  EXPECT_TRUE(evaluated({"ConstantOfShape", {ints({kMostFoldedElements})}, {}}));
}

TEST(Folding, NamesTheNodeWhoseInputsMakeNoSense) {
  const Tensor x = random_tensor({2, 3}, 1);
  const std::vector<Case> wrong{{"Reshape", {x, ints({4, -1})}, {}},
                                {"Reshape", {x, ints({-1, -1})}, {}},
                                {"Reshape", {x, ints({0, 0, 0})}, {}},
                                {"Transpose", {x}, {{"perm", Integers{0, 0}}}},
                                {"Gather", {x, ints({2})}, {}},
                                {"Gather", {x, ints({0})}, {{"axis", std::int64_t{2}}}},
                                {"Concat", {x, random_tensor({3, 3}, 2)}, {{"axis", std::int64_t{1}}}},
                                {"Squeeze", {x, ints({0})}, {}},
                                {"Unsqueeze", {x, ints({0, 0})}, {}},
                                {"Slice", {x, ints({0}), ints({1}), ints({0}), ints({0})}, {}},
                                {"Expand", {x, ints({4, 3})}, {}},
                                {"Expand", {x, ints({std::int64_t{1} << 40, std::int64_t{1} << 40, 2, 3})}, {}},
                                {"Add", {x, random_tensor({4}, 2)}, {}},
                                {"Div", {ints({1}), ints({0})}, {}},
                                {"Split", {x, ints({1, 3})}, {{"axis", std::int64_t{1}}}, {"a", "b"}}};
  for (const Case& call : wrong) {
    const Error error = error_of([&] { evaluated(call); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput) << call.op;
  }
  EXPECT_TRUE(testing::contains(error_of([&] { evaluated(wrong[0]); }).what(), "node 'y' (Reshape)"));
}

TEST(Folding, WrapsIntegersAroundInsteadOfOverflowing) {
  const Tensor low = ints({INT64_MIN});
  EXPECT_EQ(single({"Div", {low, ints({-1})}, {}}).data<std::int64_t>()[0], INT64_MIN);
  EXPECT_EQ(single({"Neg", {low}, {}}).data<std::int64_t>()[0], INT64_MIN);
  EXPECT_EQ(single({"Sub", {low, ints({1})}, {}}).data<std::int64_t>()[0], INT64_MAX);
}

}  // namespace
}  // namespace cleave::graph
