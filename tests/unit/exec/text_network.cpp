#include "text_network.h"

#include <gtest/gtest.h>
#include <onnx/defs/parser.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <stdexcept>

#include "core/file.h"
#include "graph/onnx_codec.h"
#include "graph/prepare.h"
#include "random_tensor.h"
#include "support/ort.h"
#include "support/temporary_folder.h"

namespace cleave::exec::testing {
namespace {

void expect_same(const Tensor& got, const Tensor& expected, const std::string& what) {
  ASSERT_EQ(got.dtype(), expected.dtype()) << what;
  ASSERT_EQ(got.shape(), expected.shape()) << what;
  if (got.dtype() == DType::kFloat32) {
    if (got.elements() == 0) return;
    EXPECT_LE(relative_difference(got, expected), 1e-5) << what;
  } else {
    EXPECT_TRUE(std::equal(got.raw().begin(), got.raw().end(), expected.raw().begin())) << what;
  }
}

}  // namespace

TextNetwork::TextNetwork(const std::string& body, const std::map<std::string, Tensor>& weights, int opset) {
  const std::string text = "<ir_version: 8, opset_import: [\"\" : " + std::to_string(opset) + "]>\n" + body;
  onnx::ModelProto proto;
  const auto status = onnx::OnnxParser::Parse(proto, text.c_str());
  if (!status.IsOK()) throw std::runtime_error(status.ErrorMessage());
  for (const auto& [name, value] : weights) {
    graph::write_tensor(value, name, *proto.mutable_graph()->add_initializer());
  }
  bytes_ = proto.SerializeAsString();
}

graph::Model TextNetwork::model() const {
  return graph::Model::parse(bytes_, "text.onnx", "");
}

graph::Graph TextNetwork::graph() const {
  graph::PrepareOptions options;
  options.data_dependent = graph::DataDependentShapes::kAccept;
  return graph::prepare(model(), options);
}

void expect_like_onnx_runtime(const TextNetwork& network, const std::vector<std::map<std::string, Tensor>>& runs) {
  const cleave::testing::TemporaryFolder folder;
  write_file_atomically(folder / "network.onnx", network.bytes());
  const graph::Graph graph = network.graph();
  Session fast(graph);
  Session reference(graph, {Kernels::kReference, 1});
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const auto expected = cleave::testing::ort_run(folder / "network.onnx", runs[r]);
    std::vector<Tensor> inputs;
    for (const graph::TensorId id : graph.inputs()) inputs.push_back(runs[r].at(graph.tensor(id).name));
    for (Session* session : {&fast, &reference, &fast, &reference}) {
      const std::vector<Tensor> outputs = session->run(inputs);
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        const std::string& name = graph.tensor(graph.outputs()[i]).name;
        expect_same(outputs[i], expected.at(name),
                    "run " + std::to_string(r) + ", output " + name + (session == &fast ? ", fast" : ", reference"));
      }
    }
  }
}

}  // namespace cleave::exec::testing
