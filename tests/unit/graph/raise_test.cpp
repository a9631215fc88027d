#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "core/file.h"
#include "graph/model.h"
#include "graph/onnx_write.h"
#include "helpers.h"
#include "support/ort.h"
#include "support/shared.h"
#include "support/temporary_folder.h"

namespace cleave::graph {
namespace {

using cleave::testing::TemporaryFolder;
using testing::random_tensor;

using Attributes = std::map<std::string, AttributeValue>;
using Integers = std::vector<std::int64_t>;

/// The file's numbers in ONNX Runtime, before and after raising.
double raised_difference(const std::filesystem::path& path, const Model& model, std::uint32_t seed) {
  const auto inputs = testing::random_inputs(model.graph(), seed);
  return testing::difference(cleave::testing::ort_run(path, inputs), testing::run(model.graph(), inputs));
}

TEST(RaiseOpset, KeepsTheNumbersOfEveryOldRealNetwork) {
  CLEAVE_NEEDS_SHARED();
  CLEAVE_NEEDS_ORT();
  int raised = 0;
  for (const auto& path : testing::real_models()) {
    const Model model = Model::load(path);
    EXPECT_GE(model.graph().opset(), 13) << path;
    EXPECT_GE(model.graph().ir_version(), 7) << path;
    if (model.original_opset() >= 13) continue;
    ++raised;
    EXPECT_LE(raised_difference(path, model, 5), 1e-6) << path;
  }
  EXPECT_GE(raised, 4);
}

/// One operator as an older opset spells it, on input x.
struct OldCall {
  int opset;
  std::string op;
  Shape x;
  std::vector<Tensor> more;
  Attributes attributes;
  std::vector<std::string> outputs = {"y"};
};

void write_type(onnx::ValueInfoProto& value, const std::string& name) {
  value.set_name(name);
  value.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
}

/// to_onnx writes no opset below 13 with old-style checks in mind, so the version is set afterwards.
std::string old_file(const OldCall& call) {
  GraphBuilder builder;
  std::vector<TensorId> inputs{builder.input("x", DType::kFloat32, call.x)};
  for (const Tensor& tensor : call.more) {
    inputs.push_back(builder.constant("c" + std::to_string(inputs.size()), tensor));
  }
  const auto made = builder.node(call.op, inputs, call.outputs, call.attributes);
  for (const TensorId id : made) builder.output(id);
  builder.set_versions(call.opset, 7);
  return to_onnx(builder.build());
}

TEST(RaiseOpset, KeepsTheNumbersOfOperatorsThatWereSpelledDifferently) {
  CLEAVE_NEEDS_ORT();
  const Tensor channels = random_tensor({3}, 1, 0.5F, 1.5F);
  const Tensor scales = Tensor::from<float>({4}, {1, 1, 2, 2});
  const std::vector<OldCall> calls{
      {8, "Softmax", {2, 3, 4, 5}, {}, {{"axis", std::int64_t{1}}}},  // then over all axes from 1 on
      {11, "Softmax", {2, 3}, {}, {}},
      {11, "LogSoftmax", {2, 3, 4}, {}, {{"axis", std::int64_t{2}}}},
      {10, "Clip", {2, 3}, {}, {{"min", -0.5F}, {"max", 0.25F}}},
      {10, "Pad", {1, 2, 3, 4}, {}, {{"pads", Integers{0, 0, 1, 2, 0, 0, 0, 1}}, {"value", 0.5F}}},
      {9, "Slice", {2, 3, 4}, {}, {{"starts", Integers{0, 1}}, {"ends", Integers{1, 100}}, {"axes", Integers{0, 2}}}},
      {9, "Dropout", {2, 3}, {}, {{"ratio", 0.3F}}},
      {11, "Split", {2, 6}, {}, {{"axis", std::int64_t{1}}, {"split", Integers{2, 4}}}, {"a", "b"}},
      {11, "Squeeze", {2, 1, 3, 1}, {}, {{"axes", Integers{1}}}},
      {11, "Unsqueeze", {2, 3}, {}, {{"axes", Integers{0, 3}}}},
      {11, "ReduceSum", {2, 3, 4}, {}, {{"axes", Integers{1}}, {"keepdims", std::int64_t{0}}}},
      {8, "BatchNormalization", {1, 3, 4, 4}, {channels, channels, channels, channels}, {{"spatial", std::int64_t{1}}}},
      {9, "Upsample", {1, 2, 3, 4}, {scales}, {{"mode", std::string("nearest")}}},
      {9, "Upsample", {1, 2, 3, 4}, {scales}, {{"mode", std::string("linear")}}},
      {10, "Resize", {1, 2, 3, 4}, {scales}, {{"mode", std::string("nearest")}}},
      {10, "Resize", {1, 2, 3, 4}, {scales}, {{"mode", std::string("linear")}}},
      {10, "Resize", {1, 2, 5, 7}, {Tensor::from<float>({4}, {1, 1, 0.6F, 0.5F})}, {{"mode", std::string("nearest")}}},
      {10, "Resize", {1, 2, 5, 7}, {Tensor::from<float>({4}, {1, 1, 1.3F, 1.5F})}, {{"mode", std::string("nearest")}}},
      {10, "Resize", {1, 2, 5, 7}, {Tensor::from<float>({4}, {1, 1, 0.6F, 1.5F})}, {{"mode", std::string("linear")}}},
      {9, "Upsample", {1, 2, 5, 7}, {Tensor::from<float>({4}, {1, 1, 2, 3})}, {{"mode", std::string("nearest")}}},
      {7, "Upsample", {1, 2, 3, 4}, {}, {{"mode", std::string("linear")}, {"scales", std::vector<float>{1, 1, 2, 2}}}},
      {7, "Gemm", {2, 3}, {random_tensor({3, 4}, 2), random_tensor({4}, 3)}, {}},
      {8, "MaxPool", {1, 2, 5, 5}, {}, {{"kernel_shape", Integers{2, 2}}, {"strides", Integers{2, 2}}}},
      {8, "Sum", {2, 3}, {random_tensor({1, 3}, 4)}, {}},
      {11, "Hardmax", {2, 3}, {}, {}},
  };
  const TemporaryFolder folder;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto path = folder / ("old" + std::to_string(i) + ".onnx");
    write_file_atomically(path, old_file(calls[i]));
    const Model model = Model::load(path);
    EXPECT_EQ(model.original_opset(), calls[i].opset);
    EXPECT_EQ(model.graph().opset(), 13);
    EXPECT_LE(raised_difference(path, model, 9), 1e-6) << calls[i].op << " of opset " << calls[i].opset;
  }
}

TEST(RaiseOpset, RefusesBatchNormalizationPerPosition) {
  const Tensor one = random_tensor({3, 4, 4}, 1, 0.5F, 1.5F);
  GraphBuilder builder;
  const TensorId x = builder.input("x", DType::kFloat32, {1, 3, 4, 4});
  std::vector<TensorId> inputs{x};
  for (int i = 0; i < 4; ++i) inputs.push_back(builder.constant("c" + std::to_string(i), one));
  const TensorId y = builder.node("BatchNormalization", inputs, {"y"}, {{"spatial", std::int64_t{0}}})[0];
  builder.set_shape(y, DType::kFloat32, {1, 3, 4, 4});
  builder.output(y);
  builder.set_versions(8, 7);
  const std::string bytes = to_onnx(builder.build());
  const Error error = testing::error_of([&] { Model::parse(bytes, "old.onnx", ""); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_TRUE(testing::contains(error.what(), "spatial=0")) << error.what();
}

TEST(RaiseOpset, RefusesAnOperatorThatNobodyKnows) {
  onnx::ModelProto model;
  model.set_ir_version(4);
  model.add_opset_import()->set_version(9);
  auto& graph = *model.mutable_graph();
  graph.set_name("g");
  write_type(*graph.add_input(), "x");
  write_type(*graph.add_output(), "y");
  auto& node = *graph.add_node();
  node.set_op_type("Frobnicate");
  node.add_input("x");
  node.add_output("y");
  const Error error = testing::error_of([&] { Model::parse(model.SerializeAsString(), "old.onnx", ""); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_TRUE(testing::contains(error.what(), "opset 9 to 13")) << error.what();
  EXPECT_FALSE(error.hint().empty());
}

TEST(RaiseOpset, RefusesMoreNodesThanTheConverterManages) {
  GraphBuilder builder;
  TensorId x = builder.input("x", DType::kFloat32, {1});
  for (int i = 0; i < 20'001; ++i) x = builder.node("Relu", {x}, {"t" + std::to_string(i)})[0];
  builder.set_shape(x, DType::kFloat32, {1});
  builder.output(x);
  builder.set_versions(11, 6);
  const std::string bytes = to_onnx(builder.build());
  EXPECT_EQ(testing::error_of([&] { Model::parse(bytes, "old.onnx", ""); }).kind(), ErrorKind::kUnsupported);
}

TEST(RaiseOpset, LeavesBigWeightsWhereTheyAre) {
  GraphBuilder builder;
  const TensorId x = builder.input("123", DType::kFloat32, {1, 64});  // a name the converter could choose for its own
  const TensorId w = builder.constant("1", random_tensor({64, 64}, 1));
  const TensorId c = builder.node("MatMul", {x, w}, {"2"})[0];
  const TensorId y = builder.node("Clip", {c}, {"3"}, {{"min", -0.5F}, {"max", 0.5F}})[0];
  builder.output(y);
  builder.set_versions(10, 5);
  const std::string bytes = to_onnx(builder.build());
  const Model model = Model::parse(bytes, "old.onnx", "");
  const Tensor* weight = model.graph().constant(*model.graph().find("1"));
  ASSERT_NE(weight, nullptr);
  EXPECT_EQ(weight->shape(), (Shape{64, 64}));
  EXPECT_EQ(weight->data<float>()[4095], random_tensor({64, 64}, 1).data<float>()[4095]);
  ASSERT_EQ(model.graph().inputs().size(), 1u);
  EXPECT_EQ(model.graph().tensor(model.graph().outputs()[0]).name, "3");
}

}  // namespace
}  // namespace cleave::graph
