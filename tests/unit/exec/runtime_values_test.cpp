// Values that only a run brings: kernels hold what they ask for against the shapes that the network declares.
#include <gtest/gtest.h>

#include "core/error.h"
#include "exec/session.h"
#include "graph/builder.h"
#include "graph/prepare.h"

namespace cleave::exec {
namespace {

using graph::GraphBuilder;
using graph::TensorId;

Tensor list(const std::vector<std::int64_t>& values) {
  return Tensor::from<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}

Tensor matrix() {
  return Tensor::from<float>({2, 3}, {1, 2, 3, 4, 5, 6});
}

/// One node that gets all its inputs at run time.
struct Call {
  std::string op;
  std::vector<Tensor> right;
  std::vector<Tensor> wrong;    ///< of the same types and shapes, but asking for another result
  std::vector<Shape> declared;  ///< one per output
  std::vector<float> expected;  ///< of the first output
  std::map<std::string, graph::AttributeValue> attributes = {};
};

graph::Graph network(const Call& call) {
  GraphBuilder b;
  std::vector<TensorId> inputs;
  for (const Tensor& value : call.right) {
    inputs.push_back(b.input("in" + std::to_string(inputs.size()), value.dtype(), value.shape()));
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < call.declared.size(); ++i) names.push_back("out" + std::to_string(i));
  const auto made = b.node(call.op, inputs, names, call.attributes, "the_node");
  for (std::size_t i = 0; i < made.size(); ++i) {
    b.set_shape(made[i], DType::kFloat32, call.declared[i]);
    b.output(made[i]);
  }
  b.set_versions(13, 8);
  return graph::prepare(b.build());
}

const std::vector<Call>& calls() {
  static const Tensor three = Tensor::scalar<float>(3);
  static const std::vector<Call> kCalls = {
      {"Reshape", {matrix(), list({3, 2})}, {matrix(), list({6, 1})}, {{3, 2}}, {1, 2, 3, 4, 5, 6}},
      {"Expand", {matrix(), list({1, 2, 3})}, {matrix(), list({2, 2, 3})}, {{1, 2, 3}}, {1, 2, 3, 4, 5, 6}},
      {"Tile", {matrix(), list({1, 2})}, {matrix(), list({3, 1})}, {{2, 6}}, {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}},
      {"Slice",
       {matrix(), list({0, 2}), list({2, -4}), list({0, 1}), list({1, -2})},
       {matrix(), list({0, 2}), list({2, -4}), list({0, 1}), list({1, -1})},
       {{2, 2}},
       {3, 1, 6, 4}},
      {"Pad",
       {matrix(), list({0, 1, 0, 0}), three},
       {matrix(), list({1, 1, 0, 0}), three},
       {{2, 4}},
       {3, 1, 2, 3, 3, 4, 5, 6}},
      {"Split",
       {matrix(), list({1, 2})},
       {matrix(), list({2, 1})},
       {{2, 1}, {2, 2}},
       {1, 4},
       {{"axis", std::int64_t{1}}}},
      {"ReduceSum", {matrix(), list({0})}, {matrix(), list({1})}, {{1, 3}}, {5, 7, 9}},
      {"Unsqueeze", {matrix(), list({1})}, {matrix(), list({0})}, {{2, 1, 3}}, {1, 2, 3, 4, 5, 6}},
      {"Squeeze",
       {matrix().reshaped({1, 2, 3, 1}), list({0})},
       {matrix().reshaped({1, 2, 3, 1}), list({3})},
       {{2, 3, 1}},
       {1, 2, 3, 4, 5, 6}},
      {"ConstantOfShape", {list({2, 1})}, {list({1, 3})}, {{2, 1}}, {0, 0}},
      {"Range",
       {Tensor::scalar<float>(1), three, Tensor::scalar<float>(1)},
       {Tensor::scalar<float>(1), three, Tensor::scalar<float>(0.5F)},
       {{2}},
       {1, 2}},
  };
  return kCalls;
}

std::vector<float> floats_of(const Tensor& tensor) {
  const auto values = tensor.data<float>();
  return {values.begin(), values.end()};
}

TEST(RuntimeValues, GiveTheDeclaredShape) {
  for (const Kernels kernels : {Kernels::kReference, Kernels::kFast}) {
    for (const Call& call : calls()) {
      Session session(network(call), {kernels, 1});
      const std::vector<Tensor> outputs = session.run(call.right);
      EXPECT_EQ(outputs[0].shape(), call.declared[0]) << call.op;
      EXPECT_EQ(floats_of(outputs[0]), call.expected) << call.op;
    }
  }
}

TEST(RuntimeValues, ThatAskForAnotherShapeAreRefusedByName) {
  for (const Kernels kernels : {Kernels::kReference, Kernels::kFast}) {
    for (const Call& call : calls()) {
      Session session(network(call), {kernels, 1});
      try {
        session.run(call.wrong);
        ADD_FAILURE() << call.op << " took a wrong value";
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput) << call.op;
        EXPECT_NE(std::string(error.what()).find("'the_node' (" + call.op + ")"), std::string::npos) << error.what();
      }
    }
  }
}

TEST(RuntimeValues, IndicesOutsideAreRefusedByName) {
  const Tensor updates = Tensor::from<float>({1, 3}, {7, 8, 9});
  const auto index = [](std::int64_t i) { return Tensor::from<std::int64_t>({1, 1}, {i}); };
  const auto row = [](std::int64_t i) { return Tensor::from<std::int64_t>({1, 3}, {i, i, i}); };
  const std::vector<Call> scatters = {
      {"ScatterND", {matrix(), index(-1), updates}, {matrix(), index(2), updates}, {{2, 3}}, {1, 2, 3, 7, 8, 9}},
      {"ScatterElements", {matrix(), row(0), updates}, {matrix(), row(-3), updates}, {{2, 3}}, {7, 8, 9, 4, 5, 6}},
      {"GatherND", {matrix(), index(1)}, {matrix(), index(-3)}, {{1, 3}}, {4, 5, 6}},
  };
  for (const Call& call : scatters) {
    Session session(network(call), {Kernels::kReference, 1});
    EXPECT_EQ(floats_of(session.run(call.right)[0]), call.expected) << call.op;
    EXPECT_THROW(session.run(call.wrong), Error) << call.op;
  }
}

}  // namespace
}  // namespace cleave::exec
