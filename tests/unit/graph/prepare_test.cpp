#include "graph/prepare.h"

#include <gtest/gtest.h>

#include <set>

#include "graph/onnx_write.h"
#include "graph/patch.h"
#include "helpers.h"
#include "support/ort.h"
#include "support/shared.h"
#include "support/temporary_folder.h"

namespace cleave::graph {
namespace {

using testing::contains;
using testing::error_of;
using testing::random_tensor;

std::vector<std::string> names(const Graph& graph, std::span<const TensorId> ids) {
  std::vector<std::string> result;
  for (const TensorId id : ids) result.push_back(graph.tensor(id).name);
  return result;
}

TEST(Prepare, KnowsEveryShapeOfEveryRealNetworkAndKeepsItsInterface) {
  CLEAVE_NEEDS_SHARED();
  const auto paths = testing::real_models();
  EXPECT_GE(paths.size(), 15u);
  for (const auto& path : paths) {
    const Model model = Model::load(path);
    const Graph graph = prepare(model);
    EXPECT_TRUE(graph.fully_shaped()) << path;
    EXPECT_NO_THROW(validate(graph)) << path;
    EXPECT_EQ(names(graph, graph.inputs()), names(model.graph(), model.graph().inputs())) << path;
    EXPECT_EQ(names(graph, graph.outputs()), names(model.graph(), model.graph().outputs())) << path;
    EXPECT_LE(graph.nodes().size(), model.graph().nodes().size()) << path;
    EXPECT_EQ(testing::count_op(graph, "Shape") + testing::count_op(graph, "Identity"), 0) << path;
  }
}

TEST(Prepare, KeepsTheNumbersOfEveryRealNetwork) {
  CLEAVE_NEEDS_SHARED();
  CLEAVE_NEEDS_ORT();
  for (const auto& path : testing::real_models()) {
    const Model model = Model::load(path);
    const auto inputs = testing::random_inputs(model.graph(), 3);
    const auto expected = cleave::testing::ort_run(path, inputs);
    EXPECT_LE(testing::difference(expected, testing::run(prepare(model), inputs)), 1e-5) << path;
  }
}

TEST(Prepare, EveryTensorAlsoExistsInTheRawNetwork) {
  CLEAVE_NEEDS_SHARED();
  for (const auto& path : testing::real_models()) {
    const Model model = Model::load(path);
    const Graph graph = prepare(model);
    for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
      const auto id = static_cast<TensorId>(i);
      if (graph.constant(id) != nullptr) continue;
      EXPECT_TRUE(model.graph().find(graph.tensor(id).name)) << path << ": " << graph.tensor(id).name;
    }
  }
}

TEST(Prepare, FoldsTheBatchNormalizationsOfRealNetworks) {
  CLEAVE_NEEDS_SHARED();
  const std::map<std::string, int> expected{
      {"resnet20_cifar10", 19}, {"resnet56_cifar10", 55}, {"ultraface_version-RFB-320", 35}};
  for (const auto& [name, count] : expected) {
    std::vector<PassReport> report;
    const Graph graph =
        prepare(Model::load(cleave::testing::shared_dir() / "data/models" / (name + ".onnx")), {}, &report);
    EXPECT_EQ(testing::count_op(graph, "BatchNormalization"), 0) << name;
    for (const PassReport& row : report) {
      if (row.pass != "fold_batch_norm") continue;
      EXPECT_EQ(row.fired, count) << name;
    }
  }
}

/// y = Relu(x + w) with an input of the given shape.
Graph relu_net(const Shape& shape, const std::vector<std::string>& dimension_names = {}) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", DType::kFloat32, shape, dimension_names);
  builder.output(builder.node("Relu", {x}, {"y"})[0]);
  return builder.build();
}

TEST(Prepare, TakesASymbolicBatchAsOne) {
  for (const Graph& raw : {relu_net({-1, 3, 4, 4}, {"N", "", "", ""}), relu_net({-1, 3, 4, 4})}) {
    const Graph graph = prepare(raw);
    EXPECT_EQ(graph.tensor(graph.inputs()[0]).shape, (Shape{1, 3, 4, 4}));
    EXPECT_EQ(graph.tensor(graph.outputs()[0]).shape, (Shape{1, 3, 4, 4}));
  }
}

TEST(Prepare, NamesInputAndDimensionThatStayUnknownAndTheWayOut) {
  const Error error = error_of([] { prepare(relu_net({-1, 3, -1, -1}, {"N", "", "H", "W"})); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_TRUE(contains(error.what(), "input 'x': dimension 2 ('H') is not known")) << error.what();
  EXPECT_TRUE(contains(error.hint(), "--shape x=1x3x224x224")) << error.hint();
  EXPECT_TRUE(contains(error_of([] { prepare(relu_net({1, 0, 4})); }).what(), "dimension 1 is 0"));
}

TEST(Prepare, TakesGivenShapesForEveryInputThatSharesTheSymbol) {
  GraphBuilder builder;
  const TensorId a = builder.input("a", DType::kFloat32, {-1, 3, -1}, {"N", "", "T"});
  const TensorId b = builder.input("b", DType::kFloat32, {-1, 3, -1}, {"N", "", "T"});
  builder.output(builder.node("Add", {a, b}, {"y"})[0]);
  PrepareOptions options;
  options.input_shapes["a"] = {2, 3, 7};
  const Graph graph = prepare(builder.build(), options);
  EXPECT_EQ(graph.tensor(*graph.find("b")).shape, (Shape{2, 3, 7}));
  EXPECT_EQ(graph.tensor(*graph.find("y")).shape, (Shape{2, 3, 7}));
}

TEST(Prepare, RefusesShapesThatContradictTheNetwork) {
  const auto refused = [](const std::string& input, const Shape& shape) {
    PrepareOptions options;
    options.input_shapes[input] = shape;
    return error_of([&] { prepare(relu_net({-1, 3, 4, 4}), options); });
  };
  EXPECT_TRUE(contains(refused("x", {1, 3, 4}).what(), "4 dimensions"));
  EXPECT_TRUE(contains(refused("x", {1, 3, 4, 5}).what(), "fixes dimension 3 to 4"));
  EXPECT_TRUE(contains(refused("x", {0, 3, 4, 4}).what(), "start at 1"));
  EXPECT_TRUE(contains(refused("X", {1, 3, 4, 4}).what(), "there is no input 'X'; did you mean 'x'?"));
}

TEST(Prepare, ForgetsWhatTheFileSaysAboutAnotherBatch) {
  GraphBuilder builder(relu_net({-1, 3, 4, 4}));
  builder.set_shape(builder.tensor("y"), DType::kFloat32, {8, 3, 4, 4});
  PrepareOptions options;
  options.input_shapes["x"] = {2, 3, 4, 4};
  const Graph graph = prepare(builder.build(), options);
  EXPECT_EQ(graph.tensor(graph.outputs()[0]).shape, (Shape{2, 3, 4, 4}));
}

TEST(Prepare, NamesTheFirstNodeWhoseShapeCannotBeKnown) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", DType::kFloat32, {1, 3});
  const TensorId m = builder.node("Magic", {x}, {"m"}, {}, "", "com.acme")[0];
  builder.output(builder.node("Relu", {m}, {"y"})[0]);
  builder.set_extra_domain("com.acme", 1);
  const Error error = error_of([&] { prepare(builder.build()); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_TRUE(contains(error.what(), "node 'm' (com.acme.Magic)")) << error.what();

  GraphBuilder data_dependent;
  const TensorId d = data_dependent.input("x", DType::kFloat32, {1, 3});
  data_dependent.output(data_dependent.node("NonZero", {d}, {"y"})[0]);
  EXPECT_EQ(error_of([&] { prepare(data_dependent.build()); }).kind(), ErrorKind::kUnsupported);
}

TEST(Prepare, RefusesTensorsLargerThanAnyCounter) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", DType::kFloat32, {1 << 30, 1});
  const TensorId y = builder.node("Transpose", {x}, {"y"}, {{"perm", std::vector<std::int64_t>{1, 0}}})[0];
  const TensorId z = builder.node("Add", {x, y}, {"z"})[0];  // 2^30 x 2^30
  const TensorId axes = builder.constant("axes", testing::ints({2}));
  const TensorId u = builder.node("Unsqueeze", {z, axes}, {"u"})[0];
  const TensorId r = builder.node("Reshape", {x, builder.constant("s", testing::ints({1, 1, 1 << 30}))}, {"r"})[0];
  builder.output(builder.node("Add", {u, r}, {"w"})[0]);  // 2^90
  const Error error = error_of([&] { prepare(builder.build()); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_TRUE(contains(error.what(), "'w'")) << error.what();
}

TEST(Prepare, WorksAboveTheNewestOpsetOfTheLibrary) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", DType::kFloat32, {1, 3, 8, 8});
  const TensorId w = builder.constant("w", random_tensor({4, 3, 3, 3}, 1));
  const TensorId c = builder.node("Conv", {x, w}, {"c"})[0];
  // From opset 18 on, the axes of every Reduce operator are an input.
  const TensorId axes = builder.constant("axes", testing::ints({2, 3}));
  const TensorId mean = builder.node("ReduceMean", {c, axes}, {"mean"}, {{"keepdims", std::int64_t{0}}})[0];
  const TensorId parts =
      builder.node("Split", {mean}, {"a", "b"}, {{"axis", std::int64_t{1}}, {"num_outputs", std::int64_t{2}}})[0];
  builder.output(parts);
  builder.output(builder.tensor("b"));
  builder.set_versions(20, 9);
  const Graph graph = prepare(builder.build());
  EXPECT_EQ(graph.tensor(*graph.find("mean")).shape, (Shape{1, 4}));
  EXPECT_EQ(graph.tensor(*graph.find("a")).shape, (Shape{1, 2}));
}

TEST(RoundTrip, KeepsTheFingerprintOfEveryRealNetworkAndIsDeterministic) {
  CLEAVE_NEEDS_SHARED();
  const cleave::testing::TemporaryFolder folder;
  for (const auto& path : testing::real_models()) {
    const Model model = Model::load(path);
    save_onnx(model.graph(), folder / "again.onnx");
    const Model again = Model::load(folder / "again.onnx");
    EXPECT_EQ(again.graph().fingerprint(), model.graph().fingerprint()) << path;
    EXPECT_EQ(to_onnx(again.graph()), to_onnx(model.graph())) << path;
    EXPECT_EQ(to_onnx(Model::load(path).graph()), to_onnx(model.graph())) << path;
  }
}

TEST(RoundTrip, KeepsNamesMetadataDomainsAndSymbolicDimensions) {
  GraphBuilder builder(relu_net({-1, 3, -1}, {"N", "", "time"}));
  builder.set_name("my net");
  builder.set_metadata("author", "someone");
  builder.set_extra_domain("com.acme", 4);
  builder.set_versions(15, 8);
  const Model model = Model::parse(to_onnx(builder.build()), "net.onnx", "");
  const Graph& graph = model.graph();
  EXPECT_EQ(graph.name(), "my net");
  EXPECT_EQ(graph.metadata().at("author"), "someone");
  EXPECT_EQ(graph.extra_domains().at("com.acme"), 4);
  EXPECT_EQ(graph.opset(), 15);
  EXPECT_EQ(graph.ir_version(), 8);
  EXPECT_TRUE(model.symbolic_batch());
  for (const char* tensor : {"x", "y"}) {
    const TensorInfo& info = graph.tensor(*graph.find(tensor));
    EXPECT_EQ(info.shape, (Shape{-1, 3, -1})) << tensor;
    EXPECT_EQ(info.dimension_names, (std::vector<std::string>{"N", "", "time"})) << tensor;
  }
}

TEST(RoundTrip, KeepsEveryKindOfAttribute) {
  GraphBuilder inner;
  inner.output(inner.node("Relu", {inner.constant("c", random_tensor({2}, 1))}, {"i"})[0]);
  GraphBuilder builder;
  const TensorId x = builder.input("x", DType::kFloat32, {1});
  const TensorId y = builder.node("Magic", {x, TensorId::kNone, x}, {"", "y"},
                                  {{"f", 0.1F},
                                   {"fs", std::vector<float>{1.0F, -2.5F}},
                                   {"g", std::make_shared<const Graph>(inner.build())},
                                   {"i", std::int64_t{-7}},
                                   {"is", std::vector<std::int64_t>{}},
                                   {"s", std::string("text")},
                                   {"ss", std::vector<std::string>{"a", ""}},
                                   {"t", random_tensor({2, 2}, 2)}},
                                  "magic", "com.acme")[1];
  builder.set_shape(y, DType::kFloat32, {1});
  builder.output(y);
  builder.set_extra_domain("com.acme", 1);
  const Graph graph = builder.build();
  EXPECT_EQ(Model::parse(to_onnx(graph), "net.onnx", "").graph().fingerprint(), graph.fingerprint());
}

TEST(ToOnnx, RefusesWhatTheCheckerRefuses) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", DType::kFloat32, {1, 3});
  const TensorId y = builder.node("Relu", {x}, {"y"}, {{"slope", 0.5F}})[0];
  builder.set_shape(y, DType::kFloat32, {1, 3});
  builder.output(y);
  const Error error = error_of([&] { to_onnx(builder.build()); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_TRUE(contains(error.what(), "slope")) << error.what();
}

}  // namespace
}  // namespace cleave::graph
