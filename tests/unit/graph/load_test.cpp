#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <cmath>
#include <limits>

#include "core/file.h"
#include "graph/check_model.h"
#include "graph/model.h"
#include "graph/onnx_write.h"
#include "helpers.h"
#include "onnx_file.h"
#include "support/temporary_folder.h"

namespace cleave::graph {
namespace {

using testing::add_node;
using testing::contains;
using testing::error_of;
using testing::small_model;

using Change = std::function<void(onnx::ModelProto&)>;

Model parse(const std::string& bytes, const LoadOptions& options = {}) {
  return Model::parse(bytes, "test.onnx", "", options);
}

Error refusal(const Change& change, const LoadOptions& options = {}) {
  return error_of([&] { parse(small_model(change), options); });
}

TEST(Load, ReadsAWellFormedNetwork) {
  const Model model = parse(small_model());
  const Graph& graph = model.graph();
  EXPECT_EQ(model.original_opset(), 13);
  EXPECT_EQ(model.original_ir_version(), 7);
  ASSERT_EQ(graph.nodes().size(), 2u);
  EXPECT_EQ(graph.nodes()[0].name, "sum");
  EXPECT_EQ(graph.nodes()[1].op, "Relu");
  const Tensor* weight = graph.constant(*graph.find("w"));
  ASSERT_NE(weight, nullptr);
  EXPECT_EQ(weight->shape(), (Shape{1, 2, 3, 4}));
  EXPECT_EQ(weight->data<float>()[23], 11.0F);
  EXPECT_EQ(graph.tensor(*graph.find("sum")).shape, (Shape{1, 2, 3, 4}));
  EXPECT_FALSE(model.symbolic_batch());
}

TEST(Load, RefusesAnEmptyFile) {
  const Error error = error_of([] { parse(""); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_TRUE(contains(error.what(), "test.onnx: the file is empty")) << error.what();
}

TEST(Load, RefusesWhatIsNotOnnx) {
  for (const std::string& bytes : {std::string("\x89PNG\r\n\x1a\n and more"), std::string("{\"a\": 1}"),
                                   std::string(1000, '\0'), std::string(1000, '\xff')}) {
    EXPECT_EQ(error_of([&] { parse(bytes); }).kind(), ErrorKind::kInvalidInput);
  }
}

TEST(Load, RefusesEveryTruncation) {
  const std::string whole = small_model();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(error_of([&] { parse(whole.substr(0, length)); }).kind(), ErrorKind::kInvalidInput) << length;
  }
}

TEST(Load, SurvivesEveryFlippedByte) {
  const std::string whole = small_model();
  int accepted = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char mask : {'\x01', '\x80', '\xff'}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ mask);
      try {
        parse(bytes);
        ++accepted;
      } catch (const Error&) {
      }
    }
  }
  EXPECT_GT(accepted, 0);  // flipped weights are still weights
}

TEST(Load, RefusesAFileOfTwoGigabytes) {
  const cleave::testing::TemporaryFolder folder;
  write_file_atomically(folder / "big.onnx", small_model());
  std::filesystem::resize_file(folder / "big.onnx", std::uintmax_t{1} << 31);  // a hole: takes no disk space
  const Error error = error_of([&] { Model::load(folder / "big.onnx"); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_TRUE(contains(error.what(), "2 GB")) << error.what();
}

TEST(Load, RefusesALengthThatClaimsTwoGigabytes) {
  std::string bytes = small_model();
  bytes += std::string("\x3a\xff\xff\xff\xff\x07", 6);  // field 7 (graph), 2^31 - 1 bytes to come
  EXPECT_EQ(error_of([&] { parse(bytes); }).kind(), ErrorKind::kInvalidInput);
}

TEST(Load, NamesAMissingFile) {
  const Error error = error_of([] { Model::load("/nowhere/net.onnx"); });
  EXPECT_EQ(error.kind(), ErrorKind::kIo);
  EXPECT_TRUE(contains(error.what(), "/nowhere/net.onnx")) << error.what();
}

TEST(Load, RefusesAnOldFormatAndNetworksWithoutOnnxsOperators) {
  const Error ir = refusal([](onnx::ModelProto& m) { m.set_ir_version(2); });
  EXPECT_EQ(ir.kind(), ErrorKind::kUnsupported);
  EXPECT_TRUE(contains(ir.what(), "IR version 2")) << ir.what();
  const Error domain = refusal([](onnx::ModelProto& m) { m.mutable_opset_import(0)->set_domain("elsewhere"); });
  EXPECT_EQ(domain.kind(), ErrorKind::kUnsupported);
  EXPECT_TRUE(contains(domain.what(), "'elsewhere'")) << domain.what();
  EXPECT_EQ(refusal([](onnx::ModelProto& m) { m.clear_opset_import(); }).kind(), ErrorKind::kInvalidInput);
}

TEST(Load, AcceptsOpsetsNewerThanTheInstalledLibrary) {
  const Model model = parse(small_model([](onnx::ModelProto& m) {
    m.set_ir_version(12);
    m.mutable_opset_import(0)->set_version(25);
  }));
  EXPECT_EQ(model.graph().opset(), 25);
  EXPECT_EQ(model.graph().ir_version(), 12);
  EXPECT_EQ(model.graph().tensor(*model.graph().find("sum")).shape, (Shape{1, 2, 3, 4}));
}

TEST(Load, TakesInitializersAmongTheInputsAsConstants) {
  const Model model = parse(small_model([](onnx::ModelProto& m) {
    m.set_ir_version(3);
    onnx::ValueInfoProto weight = m.graph().input(0);
    weight.set_name("w");
    *m.mutable_graph()->add_input() = weight;
  }));
  EXPECT_EQ(model.graph().inputs().size(), 1u);
  EXPECT_NE(model.graph().constant(*model.graph().find("w")), nullptr);
  EXPECT_EQ(model.original_ir_version(), 3);
  EXPECT_EQ(model.graph().ir_version(), 7);
}

TEST(Load, RefusesDuplicateNames) {
  const Error node = refusal([](onnx::ModelProto& m) {
    m.mutable_graph()->mutable_node(0)->set_name("same");
    m.mutable_graph()->mutable_node(1)->set_name("same");
  });
  EXPECT_EQ(node.kind(), ErrorKind::kInvalidInput);
  EXPECT_TRUE(contains(node.what(), "'same'")) << node.what();
  const Error tensor = refusal([](onnx::ModelProto& m) { add_node(m, "Relu", "x", "sum"); });
  EXPECT_TRUE(contains(tensor.what(), "'sum' is made twice")) << tensor.what();
  const Error weight = refusal(
      [](onnx::ModelProto& m) { *m.mutable_graph()->add_initializer() = onnx::TensorProto(m.graph().initializer(0)); });
  EXPECT_TRUE(contains(weight.what(), "'w'")) << weight.what();
  const Error input =
      refusal([](onnx::ModelProto& m) { *m.mutable_graph()->add_input() = onnx::ValueInfoProto(m.graph().input(0)); });
  EXPECT_TRUE(contains(input.what(), "'x'")) << input.what();
  const Error output = refusal(
      [](onnx::ModelProto& m) { *m.mutable_graph()->add_output() = onnx::ValueInfoProto(m.graph().output(0)); });
  EXPECT_TRUE(contains(output.what(), "'y'")) << output.what();
}

TEST(Load, GivesUnnamedNodesUniqueNames) {
  const Model model =
      parse(small_model([](onnx::ModelProto& m) { m.mutable_graph()->mutable_node(1)->set_name("sum"); }));
  EXPECT_EQ(model.graph().nodes()[0].name, "sum_1");
  EXPECT_EQ(model.graph().nodes()[1].name, "sum");
}

TEST(Load, RefusesACycle) {
  const Error error = refusal([](onnx::ModelProto& m) { m.mutable_graph()->mutable_node(0)->set_input(1, "y"); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_TRUE(contains(error.what(), "cycle")) << error.what();
}

TEST(Load, RefusesATensorThatNothingMakes) {
  const Error error = refusal([](onnx::ModelProto& m) { m.mutable_graph()->mutable_node(1)->set_input(0, "ghost"); });
  EXPECT_TRUE(contains(error.what(), "'ghost'")) << error.what();
  const Error output = refusal([](onnx::ModelProto& m) { m.mutable_graph()->mutable_output(0)->set_name("ghost"); });
  EXPECT_TRUE(contains(output.what(), "'ghost'")) << output.what();
  EXPECT_TRUE(contains(refusal([](onnx::ModelProto& m) { m.mutable_graph()->clear_output(); }).what(), "no output"));
}

TEST(Load, RefusesDimensionsThatOverflow) {
  const Error weight = refusal([](onnx::ModelProto& m) {
    auto& tensor = *m.mutable_graph()->mutable_initializer(0);
    tensor.clear_dims();
    for (int i = 0; i < 3; ++i) tensor.add_dims(std::int64_t{1} << 31);
  });
  EXPECT_EQ(weight.kind(), ErrorKind::kInvalidInput);
  EXPECT_TRUE(contains(weight.what(), "tensor 'w'")) << weight.what();
  const Error input = refusal([](onnx::ModelProto& m) {
    for (int i = 0; i < 4; ++i) {
      m.mutable_graph()
          ->mutable_input(0)
          ->mutable_type()
          ->mutable_tensor_type()
          ->mutable_shape()
          ->mutable_dim(i)
          ->set_dim_value(std::int64_t{1} << 32);
    }
  });
  EXPECT_TRUE(contains(input.what(), "'x'")) << input.what();
  const Error negative =
      refusal([](onnx::ModelProto& m) { m.mutable_graph()->mutable_initializer(0)->set_dims(0, -1); });
  EXPECT_EQ(negative.kind(), ErrorKind::kInvalidInput);
}

TEST(Load, RefusesDataThatDoesNotMatchTheShape) {
  const Error fewer = refusal([](onnx::ModelProto& m) { m.mutable_graph()->mutable_initializer(0)->set_dims(1, 3); });
  EXPECT_TRUE(contains(fewer.what(), "holds 24 values")) << fewer.what();
  const Error raw = refusal([](onnx::ModelProto& m) {
    auto& weight = *m.mutable_graph()->mutable_initializer(0);
    weight.clear_float_data();
    weight.set_raw_data(std::string(95, 'a'));
  });
  EXPECT_TRUE(contains(raw.what(), "holds 95 bytes")) << raw.what();
}

TEST(Load, RefusesNaNAndInfiniteWeightsByName) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    const Error error =
        refusal([bad](onnx::ModelProto& m) { m.mutable_graph()->mutable_initializer(0)->set_float_data(5, bad); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
    EXPECT_TRUE(contains(error.what(), "tensor 'w': contains NaN or infinite values")) << error.what();
  }
}

TEST(Load, AcceptsASingleInfinityAsABound) {
  const Model model = parse(small_model([](onnx::ModelProto& m) {
    auto& bound = *m.mutable_graph()->add_initializer();
    bound.set_name("bound");
    bound.set_data_type(onnx::TensorProto::FLOAT);
    bound.add_float_data(std::numeric_limits<float>::infinity());
    add_node(m, "Min", "y", "z").add_input("bound");
    m.mutable_graph()->mutable_output(0)->set_name("z");
  }));
  EXPECT_TRUE(std::isinf(model.graph().constant(*model.graph().find("bound"))->data<float>()[0]));
}

TEST(Load, NamesATensorOfAnUnknownType) {
  for (const int type : {26, 14, 8}) {  // int2, complex64, string
    const Error error =
        refusal([type](onnx::ModelProto& m) { m.mutable_graph()->mutable_initializer(0)->set_data_type(type); });
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_TRUE(contains(error.what(), "tensor 'w'")) << error.what();
  }
}

TEST(Load, ReadsNarrowTypesFromWideFields) {
  const Model model = parse(small_model([](onnx::ModelProto& m) {
    auto& tensor = *m.mutable_graph()->add_initializer();
    tensor.set_name("narrow");
    tensor.set_data_type(onnx::TensorProto::INT8);
    tensor.add_dims(3);
    for (const int value : {-128, -1, 127}) tensor.add_int32_data(value);
    add_node(m, "Identity", "narrow", "z");
    auto& output = *m.mutable_graph()->add_output();
    output.set_name("z");
  }));
  const auto values = model.graph().constant(*model.graph().find("narrow"))->data<std::int8_t>();
  EXPECT_EQ(std::vector<int>(values.begin(), values.end()), (std::vector<int>{-128, -1, 127}));
}

TEST(Load, RespectsTheNodeLimit) {
  LoadOptions options;
  options.max_nodes = 1;
  EXPECT_TRUE(contains(refusal({}, options).what(), "more than 1 nodes"));
}

onnx::GraphProto* nest(onnx::GraphProto* graph) {
  auto& node = *graph->add_node();
  node.set_op_type("If");
  node.add_output("out");
  auto& attribute = *node.add_attribute();
  attribute.set_name("then_branch");
  attribute.set_type(onnx::AttributeProto::GRAPH);
  return attribute.mutable_g();
}

TEST(Load, RefusesSubgraphsNestedTooDeep) {
  for (const int depth : {70, 10'000}) {
    onnx::ModelProto model;
    model.ParseFromString(small_model());
    onnx::GraphProto* graph = model.mutable_graph();
    for (int i = 0; i < depth; ++i) graph = nest(graph);
    const Error error = error_of([&] { parse(model.SerializeAsString()); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput) << depth;
    EXPECT_TRUE(contains(error.what(), "64 deep")) << error.what();
  }
}

void add_branch(onnx::ModelProto& model, const std::string& reads) {
  auto& node = add_node(model, "If", "x", "chosen");
  node.set_name("choice");
  for (const char* branch : {"then_branch", "else_branch"}) {
    auto& attribute = *node.add_attribute();
    attribute.set_name(branch);
    attribute.set_type(onnx::AttributeProto::GRAPH);
    auto& graph = *attribute.mutable_g();
    graph.set_name(branch);
    if (reads != "x") *graph.add_initializer() = onnx::TensorProto(model.graph().initializer(0));
    auto& inner = *graph.add_node();
    inner.set_op_type("Relu");
    inner.add_input(reads);
    inner.add_output("inner");
    graph.add_output()->set_name("inner");
  }
}

TEST(Load, KeepsSubgraphsThatStandAlone) {
  const Model model = parse(small_model([](onnx::ModelProto& m) { add_branch(m, "w"); }));
  const Node& node = model.graph().node(*model.graph().producer(*model.graph().find("chosen")));
  const auto* inner = std::get_if<std::shared_ptr<const Graph>>(&node.attributes.at("then_branch"));
  ASSERT_NE(inner, nullptr);
  EXPECT_EQ((*inner)->nodes().size(), 1u);
}

TEST(Load, GivesSubgraphsWhatTheyReadFromTheGraphAround) {
  const Model model = parse(small_model([](onnx::ModelProto& m) { add_branch(m, "x"); }));
  const Node& node = model.graph().node(*model.graph().producer(*model.graph().find("chosen")));
  EXPECT_EQ(node.captured, 1u);
  EXPECT_EQ(node.subgraph("then_branch").inputs().size(), 1u);
}

TEST(Load, KeepsUnknownDomains) {
  const Model model = parse(small_model([](onnx::ModelProto& m) {
    auto& domain = *m.add_opset_import();
    domain.set_domain("com.acme");
    domain.set_version(3);
    add_node(m, "Magic", "sum", "magic").set_domain("com.acme");
  }));
  EXPECT_EQ(model.graph().extra_domains().at("com.acme"), 3);
  EXPECT_EQ(testing::count_op(model.graph(), "Magic"), 1);
}

TEST(Load, RefusesNodesWithoutAnOutput) {
  const Error error = refusal([](onnx::ModelProto& m) { m.mutable_graph()->mutable_node(0)->clear_output(); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_TRUE(contains(error.what(), "makes no tensor")) << error.what();
}

TEST(Load, RefusesSequencesAsInputs) {
  const Error error = refusal(
      [](onnx::ModelProto& m) { m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_sequence_type(); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
}

TEST(Load, ReadsConstantNodesAsConstants) {
  const Model model = parse(small_model([](onnx::ModelProto& m) {
    auto& node = *m.mutable_graph()->add_node();
    node.set_op_type("Constant");
    node.add_output("axes");
    auto& attribute = *node.add_attribute();
    attribute.set_name("value_ints");
    attribute.set_type(onnx::AttributeProto::INTS);
    attribute.add_ints(0);
    add_node(m, "Squeeze", "y", "z").add_input("axes");
    m.mutable_graph()->mutable_output(0)->set_name("z");
    m.mutable_graph()->mutable_output(0)->clear_type();
  }));
  const Tensor* axes = model.graph().constant(*model.graph().find("axes"));
  ASSERT_NE(axes, nullptr);
  EXPECT_EQ(axes->data<std::int64_t>()[0], 0);
  EXPECT_EQ(model.graph().tensor(*model.graph().find("z")).shape, (Shape{2, 3, 4}));
}

TEST(CheckModel, ReportsAllProblemsOfAFileAtOnce) {
  const cleave::testing::TemporaryFolder folder;
  const std::string bytes = small_model([](onnx::ModelProto& m) {
    m.mutable_graph()->mutable_initializer(0)->set_float_data(0, std::nanf(""));
    onnx::TensorProto other = m.graph().initializer(0);
    other.set_name("v");
    other.set_data_type(22);
    *m.mutable_graph()->add_initializer() = other;
    add_node(m, "Relu", "loop_b", "loop_a");
    add_node(m, "Relu", "loop_a", "loop_b");
  });
  write_file_atomically(folder / "m.onnx", bytes);
  const auto findings = check_model(folder / "m.onnx", {}, [](const Graph&, NodeId) { return std::nullopt; }).problems;
  ASSERT_EQ(findings.size(), 3u);
  EXPECT_TRUE(contains(findings[0].what, "tensor 'w'")) << findings[0].what;
  EXPECT_TRUE(contains(findings[1].what, "tensor 'v'")) << findings[1].what;
  EXPECT_TRUE(contains(findings[2].what, "cycle")) << findings[2].what;
}

TEST(CheckModel, NamesEveryUnsupportedOperatorEvenWhenShapesStayUnknown) {
  const cleave::testing::TemporaryFolder folder;
  write_file_atomically(folder / "m.onnx", small_model([](onnx::ModelProto& m) {
                          add_node(m, "Magic", "sum", "magic").set_domain("com.acme");
                          add_node(m, "Wonder", "magic", "wonder").set_domain("com.acme");
                          auto& domain = *m.add_opset_import();
                          domain.set_domain("com.acme");
                          domain.set_version(1);
                          m.mutable_graph()->mutable_output(0)->set_name("wonder");
                        }));
  const auto findings = check_model(folder / "m.onnx", {}, [](const Graph& g, NodeId id) -> std::optional<std::string> {
                          if (g.node(id).domain.empty()) return std::nullopt;
                          return "no kernel for " + g.node(id).op;
                        }).problems;
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].where, "node 'magic' (Magic)");
  EXPECT_EQ(findings[1].where, "node 'wonder' (Wonder)");
}

TEST(CheckModel, SaysOfANetworkWhoseShapesDependOnTheDataThatItRunsButCannotBeCut) {
  const cleave::testing::TemporaryFolder folder;
  write_file_atomically(folder / "m.onnx", small_model([](onnx::ModelProto& m) {
                          add_node(m, "NonZero", "sum", "places");
                          m.mutable_graph()->mutable_output(0)->set_name("places");
                          auto& type = *m.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type();
                          type.set_elem_type(onnx::TensorProto::INT64);
                          type.clear_shape();
                        }));
  const ModelCheck check = check_model(folder / "m.onnx", {}, [](const Graph&, NodeId) { return std::nullopt; });
  EXPECT_TRUE(check.problems.empty()) << check.problems.front().what;
  ASSERT_TRUE(check.why_not_cut);
  EXPECT_EQ(check.why_not_cut->kind, ErrorKind::kUnsupported);
  EXPECT_TRUE(contains(check.why_not_cut->what, "node 'places' (NonZero)")) << check.why_not_cut->what;
}

TEST(CheckModel, IsSilentAboutAGoodModelAndNamesAMissingOne) {
  const cleave::testing::TemporaryFolder folder;
  write_file_atomically(folder / "m.onnx", small_model());
  const SupportTest all = [](const Graph&, NodeId) { return std::nullopt; };
  const ModelCheck good = check_model(folder / "m.onnx", {}, all);
  EXPECT_TRUE(good.problems.empty());
  EXPECT_FALSE(good.why_not_cut);
  const auto missing = check_model(folder / "none.onnx", {}, all).problems;
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(missing[0].kind, ErrorKind::kIo);
}

}  // namespace
}  // namespace cleave::graph
