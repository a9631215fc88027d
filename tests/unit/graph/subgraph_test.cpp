#include <gtest/gtest.h>
#include <onnx/defs/parser.h>
#include <onnx/onnx_pb.h>

#include "core/file.h"
#include "graph/builder.h"
#include "graph/model.h"
#include "graph/onnx_write.h"
#include "graph/prepare.h"
#include "helpers.h"
#include "support/ort.h"
#include "support/temporary_folder.h"

namespace cleave::graph {
namespace {

using testing::contains;
using testing::error_of;

std::string bytes_of(const std::string& body) {
  onnx::ModelProto proto;
  const std::string text = "<ir_version: 8, opset_import: [\"\" : 13]>\n" + body;
  const auto status = onnx::OnnxParser::Parse(proto, text.c_str());
  EXPECT_TRUE(status.IsOK()) << status.ErrorMessage();
  return proto.SerializeAsString();
}

Graph parsed(const std::string& bytes) {
  return Model::parse(bytes, "test.onnx", "").graph();
}

/// A loop around a choice; both read tensors of the graphs around them.
const char* const kNested = R"(
  agraph (int64 trips, bool pick, float[2] x) => (float[2] y) <bool on = {1}, float[2] k = {3, 4}> {
    i1 = Identity(x)
    h = Neg(i1)
    y = Loop (trips, on, x) <
      body = step (int64 i, bool c, float[2] v) => (bool c2, float[2] v2) {
        c2 = Identity(c)
        v2 = If (pick) <
          then_branch = one () => (float[2] a) { s = Add(v, h) a = Mul(s, k) },
          else_branch = two () => (float[2] a) { a = Sub(v, i1) }>
      }>
  })";

const Node& only(const Graph& graph, const std::string& op) {
  for (const Node& node : graph.nodes()) {
    if (node.op == op) return node;
  }
  ADD_FAILURE() << "no " << op;
  return graph.nodes()[0];
}

std::vector<std::string> captured_names(const Graph& graph, const Node& node) {
  std::vector<std::string> names;
  for (std::size_t i = node.inputs.size() - node.captured; i < node.inputs.size(); ++i) {
    names.push_back(graph.tensor(node.inputs[i]).name);
  }
  return names;
}

TEST(Subgraphs, ReadTheGraphAroundAsPlainInputs) {
  const Graph graph = parsed(bytes_of(kNested));
  const Node& loop = only(graph, "Loop");
  EXPECT_EQ(loop.inputs.size(), 7u);
  EXPECT_EQ(captured_names(graph, loop), (std::vector<std::string>{"pick", "i1", "h", "k"}));
  const Graph& body = loop.subgraph("body");
  EXPECT_EQ(body.inputs().size(), 7u);
  const Node& choice = only(body, "If");
  EXPECT_EQ(captured_names(body, choice), (std::vector<std::string>{"v", "i1", "h", "k"}));
  EXPECT_EQ(choice.subgraph("then_branch").inputs().size(), 4u);
  EXPECT_EQ(choice.subgraph("else_branch").inputs().size(), 4u);
}

TEST(Subgraphs, AreWrittenAsTheyWereRead) {
  const Graph graph = parsed(bytes_of(kNested));
  const std::string written = to_onnx(graph);
  onnx::ModelProto proto;
  ASSERT_TRUE(proto.ParseFromString(written));
  for (const auto& node : proto.graph().node()) {
    if (node.op_type() != "Loop") continue;
    EXPECT_EQ(node.input_size(), 3);
    const auto& body = node.attribute(0).g();
    EXPECT_EQ(body.input_size(), 3);
    EXPECT_EQ(body.node(1).input_size(), 1);
    EXPECT_EQ(body.node(1).attribute(0).g().input_size(), 0);
  }
  EXPECT_EQ(parsed(written).fingerprint(), graph.fingerprint());
}

std::map<std::string, Tensor> nested_inputs(bool pick) {
  return {{"trips", Tensor::scalar<std::int64_t>(3)},
          {"pick", Tensor::scalar<bool>(pick)},
          {"x", testing::random_tensor({2}, 1)}};
}

TEST(Subgraphs, KeepTheNumbersWhenTheGraphAroundIsRewritten) {
  CLEAVE_NEEDS_ORT();
  const Graph graph = parsed(bytes_of(kNested));
  const Graph prepared = simplify(graph);
  EXPECT_EQ(testing::count_op(prepared, "Identity"), 0) << "the captured i1 is x now";
  for (const bool pick : {true, false}) {
    const auto inputs = nested_inputs(pick);
    EXPECT_LE(testing::difference(testing::run(graph, inputs), testing::run(prepared, inputs)), 1e-6);
  }
}

TEST(Subgraphs, KeepTheirOwnTensorsApartFromRenamedOnesAround) {
  CLEAVE_NEEDS_ORT();
  const Graph graph = parsed(bytes_of(kNested));
  GraphBuilder builder(graph);
  builder.tensor_at(*graph.find("h")).name = "s";  // a name that the inner branch uses itself
  const Graph renamed = builder.build();
  const auto inputs = nested_inputs(true);
  EXPECT_LE(testing::difference(testing::run(graph, inputs), testing::run(renamed, inputs)), 1e-6);
}

TEST(Subgraphs, NameWhatNobodyMakes) {
  const Error error = error_of([] {
    parsed(bytes_of(R"(agraph (bool c, float[2] x) => (float[2] y) {
      y = If (c) <then_branch = one () => (float[2] a) { a = Neg(nothing) },
                  else_branch = two () => (float[2] a) { a = Neg(x) }>
    })"));
  });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_TRUE(contains(error.what(), "node 'y' reads tensor 'nothing', which nothing makes")) << error.what();
}

TEST(Subgraphs, AreInlinedWhereTheConditionIsKnown) {
  CLEAVE_NEEDS_ORT();
  const Graph graph = parsed(bytes_of(R"(
    agraph (float[2] x) => (float[2] y, float[2] z, float[2] u) <bool yes = {1}, bool no = {0}, float[2] k = {3, 4}> {
      t = Neg(x)
      y, z = If (yes) <
        then_branch = one () => (float[2] a, float[2] b) {
          q = Exp(t)
          a = If (no) <then_branch = three () => (float[2] d) { d = Neg(q) },
                       else_branch = four () => (float[2] d) { t1 = Add(q, k) d = Relu(t1) }>
          b = Identity(k) },
        else_branch = two () => (float[2] a, float[2] b) { a = Relu(t) b = Relu(x) }>
      u = Add(y, z)
    })"));
  const Graph prepared = prepare(graph);
  EXPECT_TRUE(prepared.fully_shaped());
  EXPECT_EQ(testing::count_op(prepared, "If"), 0);
  const std::map<std::string, Tensor> inputs{{"x", testing::random_tensor({2}, 1)}};
  EXPECT_LE(testing::difference(testing::run(graph, inputs), testing::run(prepared, inputs)), 1e-6);
}

/// Opset 11 gave axes as attributes, and Softmax took all axes from its own on together.
const char* const kOldBranch = R"(
  <ir_version: 6, opset_import: ["" : 11]>
  agraph (bool c, float[2,1,3,4] x) => (float[2,3,4] y) {
    h = Neg(x)
    y = If (c) <
      then_branch = one () => (float[2,3,4] a) { s = Squeeze <axes = [1]> (h) a = Softmax <axis = 1> (s) },
      else_branch = two () => (float[2,3,4] a) {
        t = If (c) <then_branch = three () => (float[2,3,4] d) { d = Squeeze <axes = [1]> (x) },
                    else_branch = four () => (float[2,3,4] d) { d = ReduceSum <axes = [1], keepdims = 0> (h) }>
        a = Exp(t) }>
  })";

TEST(Subgraphs, AreRaisedWithTheGraphAround) {
  CLEAVE_NEEDS_ORT();
  onnx::ModelProto proto;
  const auto status = onnx::OnnxParser::Parse(proto, kOldBranch);
  ASSERT_TRUE(status.IsOK()) << status.ErrorMessage();
  const cleave::testing::TemporaryFolder folder;
  write_file_atomically(folder / "old.onnx", proto.SerializeAsString());
  const Graph raised = Model::load(folder / "old.onnx").graph();
  EXPECT_EQ(raised.opset(), 13);
  for (const bool c : {true, false}) {
    const std::map<std::string, Tensor> inputs{{"c", Tensor::scalar<bool>(c)},
                                               {"x", testing::random_tensor({2, 1, 3, 4}, 1)}};
    const auto expected = cleave::testing::ort_run(folder / "old.onnx", inputs);
    EXPECT_LE(testing::difference(expected, testing::run(raised, inputs)), 1e-6) << c;
  }
}

/// y = Gated(x; slope = 0.1), where Gated calls another function, and hands x on.
const char* const kFunctions = R"(
  <ir_version: 8, opset_import: ["" : 13, "mine" : 1]>
  agraph (float[3] x) => (float[3] y, float[3] same, float[3] z) {
    y, same = mine.Gated <slope = 0.1> (x)
    z, other = mine.Gated <slope = 0.5> (y)
  }
  <domain: "mine", opset_import: ["" : 13, "mine" : 1]>
  Gated <slope> (v) => (r, v) { t = mine.Twice(v) s = LeakyRelu <alpha : float = @slope> (t) r = Sigmoid(s) }
  <domain: "mine", opset_import: ["" : 13]>
  Twice (v) => (t) { t = Add(v, v) }
)";

onnx::ModelProto with_functions() {
  onnx::ModelProto proto;
  const auto status = onnx::OnnxParser::Parse(proto, kFunctions);
  EXPECT_TRUE(status.IsOK()) << status.ErrorMessage();
  return proto;
}

TEST(Functions, AreInlinedWithTheAttributesOfEachCall) {
  const Graph graph = parsed(with_functions().SerializeAsString());
  EXPECT_EQ(testing::count_op(graph, "Gated"), 0);
  std::vector<float> slopes;
  for (const Node& node : graph.nodes()) {
    if (node.op == "LeakyRelu") slopes.push_back(node.number("alpha", 0));
  }
  EXPECT_EQ(slopes, (std::vector<float>{0.1F, 0.5F}));
  EXPECT_EQ(testing::count_op(graph, "Add"), 2);
  EXPECT_EQ(testing::count_op(graph, "Sigmoid"), 2);
  const Node& copy = graph.node(*graph.producer(*graph.find("same")));
  EXPECT_EQ(copy.op, "Identity");
  EXPECT_EQ(graph.tensor(copy.inputs[0]).name, "x");
}

TEST(Functions, ThatCallThemselvesAreRefused) {
  onnx::ModelProto proto = with_functions();
  proto.mutable_functions(1)->mutable_node(0)->set_op_type("Gated");
  proto.mutable_functions(1)->mutable_node(0)->set_domain("mine");
  const Error error = error_of([&] { parsed(proto.SerializeAsString()); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_TRUE(contains(error.what(), "calls itself")) << error.what();
}

TEST(SparseWeights, AreWrittenOutDensely) {
  for (const bool flat : {true, false}) {
    onnx::ModelProto proto;
    proto.ParseFromString(bytes_of("agraph (float[2,3] x) => (float[2,3] y) { y = Add(x, w) }"));
    auto& sparse = *proto.mutable_graph()->add_sparse_initializer();
    for (const int size : {2, 3}) sparse.add_dims(size);
    sparse.mutable_values()->set_name("w");
    sparse.mutable_values()->set_data_type(1);
    sparse.mutable_values()->add_dims(2);
    for (const float value : {5.0F, 7.0F}) sparse.mutable_values()->add_float_data(value);
    sparse.mutable_indices()->set_data_type(7);
    sparse.mutable_indices()->add_dims(2);
    if (!flat) sparse.mutable_indices()->add_dims(2);
    for (const int i : flat ? std::vector<int>{1, 5} : std::vector<int>{0, 1, 1, 2}) {
      sparse.mutable_indices()->add_int64_data(i);
    }
    const Graph graph = parsed(proto.SerializeAsString());
    const auto values = graph.constant(*graph.find("w"))->data<float>();
    EXPECT_EQ(std::vector<float>(values.begin(), values.end()), (std::vector<float>{0, 5, 0, 0, 0, 7})) << flat;
    sparse.mutable_indices()->set_int64_data(0, 6);
    EXPECT_TRUE(contains(error_of([&] { parsed(proto.SerializeAsString()); }).what(), "tensor 'w': index 6"));
  }
}

}  // namespace
}  // namespace cleave::graph
