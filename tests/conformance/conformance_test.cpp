#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "case.h"
#include "compare.h"
#include "core/error.h"
#include "exec/session.h"
#include "graph/model.h"
#include "graph/prepare.h"
#include "refusals.h"

namespace cleave::conformance {
namespace {

struct Counts {
  int passed = 0;
  int disputed = 0;
  int refused = 0;
};

/// By folder; printed when all tests are done.
std::map<std::string, Counts>& counts() {
  static std::map<std::string, Counts> table;
  return table;
}

class PrintCounts : public ::testing::Environment {
 public:
  void TearDown() override {
    for (const auto& [folder, count] : counts()) {
      std::cout << "conformance " << folder << ": " << count.passed << " passed, " << count.refused << " refused, "
                << count.disputed << " disputed\n";
    }
  }
};

const ::testing::Environment* const kPrintCounts = ::testing::AddGlobalTestEnvironment(new PrintCounts);

/// Some cases' data is not what their model says: bfloat16 values are labelled uint16, and the second input of
/// CastLike, of which only the type counts, has another shape.
Tensor as_declared(const Tensor& value, const graph::TensorInfo& info) {
  if (info.name == "like" && value.shape() != info.shape) return Tensor(info.dtype, info.shape);
  if (value.dtype() != DType::kUint16 || info.dtype != DType::kBfloat16) return value;
  return Tensor(info.dtype, value.shape(), value.raw(), std::make_shared<Tensor>(value));
}

std::vector<Tensor> as_declared(const graph::Graph& graph, std::span<const graph::TensorId> ids,
                                const std::vector<Tensor>& values) {
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i >= ids.size()) return values;
    result.push_back(as_declared(values[i], graph.tensor(ids[i])));
  }
  return result;
}

void expect_right(exec::Kernels kernels, const graph::Graph& graph, const std::vector<DataSet>& sets) {
  exec::Session session(graph, {kernels, 1});
  for (const DataSet& set : sets) {
    const std::vector<Tensor> outputs = session.run(as_declared(graph, graph.inputs(), set.inputs));
    const std::vector<Tensor> expected = as_declared(graph, graph.outputs(), set.outputs);
    ASSERT_EQ(outputs.size(), expected.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto wrong = difference(outputs[i], expected[i]);
      EXPECT_FALSE(wrong) << "output " << i << " of the " << (kernels == exec::Kernels::kFast ? "fast" : "reference")
                          << " kernels: " << *wrong;
    }
  }
}

/// The reason without the file's name in front.
std::string reason_of(const Error& error, const Case& c) {
  const std::string file = c.model().string() + ": ";
  const std::string what = error.what();
  return what.starts_with(file) ? what.substr(file.size()) : what;
}

/// A dimension 0 that only the file names counts as unknown: the data says that it is meant.
std::map<std::string, Shape> shapes_of_empty_inputs(const graph::Graph& graph, const std::vector<DataSet>& sets) {
  std::map<std::string, Shape> shapes;
  for (const DataSet& set : sets) {
    for (std::size_t i = 0; i < std::min(set.inputs.size(), graph.inputs().size()); ++i) {
      if (set.inputs[i].elements() == 0) shapes[graph.tensor(graph.inputs()[i]).name] = set.inputs[i].shape();
    }
  }
  return shapes;
}

/// Runs the case with both kinds of kernels. Returns why it is refused, or nothing when it could be run.
std::optional<std::string> refusal(const Case& c) {
  try {
    graph::PrepareOptions runnable;
    runnable.data_dependent = graph::DataDependentShapes::kAccept;
    const graph::Model model = graph::Model::load(c.model());
    const std::vector<DataSet> sets = data_sets(c);
    runnable.input_shapes = shapes_of_empty_inputs(model.graph(), sets);
    const graph::Graph graph = graph::prepare(model, runnable);
    EXPECT_FALSE(sets.empty()) << "the case has no data";
    expect_right(exec::Kernels::kReference, graph, sets);
    expect_right(exec::Kernels::kFast, graph, sets);
    return std::nullopt;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kUnsupported) return reason_of(error, c);
    throw;
  }
}

/// Cases whose expected values are disputed: ONNX's data divides by the scaled length before it is rounded, ONNX
/// Runtime and cleave by the length of the result.
bool is_disputed(const Case& c) {
  static const std::set<std::string> kNames{"test_resize_downsample_scales_cubic_align_corners",
                                            "test_resize_downsample_scales_linear_align_corners"};
  return kNames.contains(c.name);
}

class Conformance : public ::testing::TestWithParam<Case> {};

TEST_P(Conformance, GivesOnnxsResultOrRefusesByName) {
  if (!has_cases()) GTEST_SKIP() << why_no_cases();
  const Case& c = GetParam();
  if (is_disputed(c)) {
    ++counts()[c.folder].disputed;
    return;
  }
  const auto listed = refusals().find(c.label());
  const std::optional<std::string> reason = refusal(c);
  if (!reason) {
    EXPECT_TRUE(listed == refusals().end()) << "this case runs now: take it off refusals.txt";
    if (!HasFailure()) ++counts()[c.folder].passed;
    return;
  }
  ++counts()[c.folder].refused;
  const std::string line = c.label() + ": " + *reason;
  EXPECT_TRUE(reason->find('\'') != std::string::npos || reason->starts_with("opset ")) << "names nothing: " << line;
  ASSERT_FALSE(listed == refusals().end()) << "refused, and not in refusals.txt:\n" << line;
  EXPECT_EQ(*reason, listed->second) << "the reason has changed, refusals.txt must say\n" << line;
}

const auto kByName = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(node, Conformance, ::testing::ValuesIn(cases_of("node")), kByName);
INSTANTIATE_TEST_SUITE_P(simple, Conformance, ::testing::ValuesIn(cases_of("simple")), kByName);
INSTANTIATE_TEST_SUITE_P(pytorch_converted, Conformance, ::testing::ValuesIn(cases_of("pytorch-converted")), kByName);
INSTANTIATE_TEST_SUITE_P(pytorch_operator, Conformance, ::testing::ValuesIn(cases_of("pytorch-operator")), kByName);

TEST(Refusals, NameOnlyCasesThatExist) {
  if (!has_cases()) GTEST_SKIP() << why_no_cases();
  std::set<std::string> labels;
  for (const std::string folder : {"node", "simple", "pytorch-converted", "pytorch-operator"}) {
    for (const Case& c : cases_of(folder)) labels.insert(c.label());
  }
  for (const auto& [label, reason] : refusals()) EXPECT_TRUE(labels.contains(label)) << label;
}

}  // namespace
}  // namespace cleave::conformance
