#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "exec/session.h"
#include "graph/model.h"
#include "graph/prepare.h"
#include "random_tensor.h"
#include "support/ort.h"
#include "support/shared.h"

namespace cleave::exec {
namespace {

struct RealModel {
  const char* name;
  bool small;  ///< quick enough for the naive kernels
};

void PrintTo(const RealModel& model, std::ostream* out) {
  *out << model.name;
}

class RealModels : public ::testing::TestWithParam<RealModel> {};

std::map<std::string, Tensor> by_name(const graph::Graph& graph, const std::vector<Tensor>& inputs) {
  std::map<std::string, Tensor> named;
  for (std::size_t i = 0; i < inputs.size(); ++i) named[graph.tensor(graph.inputs()[i]).name] = inputs[i];
  return named;
}

std::vector<Tensor> plausible_inputs(const graph::Graph& graph) {
  std::vector<Tensor> inputs;
  for (const graph::TensorId id : graph.inputs()) {
    inputs.push_back(testing::random_floats(graph.tensor(id).shape, 7 + inputs.size(), -1.5, 2.0));
  }
  return inputs;
}

void expect_equal_outputs(const graph::Graph& graph, const std::vector<Tensor>& outputs,
                          const std::map<std::string, Tensor>& expected) {
  ASSERT_EQ(outputs.size(), graph.outputs().size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string& name = graph.tensor(graph.outputs()[i]).name;
    EXPECT_LE(testing::relative_difference(outputs[i], expected.at(name)), 1e-4) << name;
  }
}

TEST_P(RealModels, GiveOnnxRuntimesOutputs) {
  CLEAVE_NEEDS_SHARED();
  CLEAVE_NEEDS_ORT();
  const auto path = cleave::testing::shared_dir() / "data/models" / (std::string(GetParam().name) + ".onnx");
  const graph::Graph graph = graph::prepare(graph::Model::load(path));
  const std::vector<Tensor> inputs = plausible_inputs(graph);
  const auto expected = cleave::testing::ort_run(path, by_name(graph, inputs));
  expect_equal_outputs(graph, Session(graph).run(inputs), expected);
  if (!GetParam().small) return;
  expect_equal_outputs(graph, Session(graph, {Kernels::kReference, 1}).run(inputs), expected);
}

INSTANTIATE_TEST_SUITE_P(
    All, RealModels,
    ::testing::Values(RealModel{"deeplabv3_mnv2_pascal", false}, RealModel{"lenet_mnist", true},
                      RealModel{"mnist_cntk", true}, RealModel{"mobilenet_v1_1.0_224_qat8", false},
                      RealModel{"mobilenet_v2_1.0_224", true}, RealModel{"nanodet_m", true},
                      RealModel{"resnet20_cifar10", true}, RealModel{"resnet50v2_stages1to3_features", false},
                      RealModel{"resnet56_cifar10", true}, RealModel{"resnet8_cifar10_mlperftiny", true},
                      RealModel{"squeezenet1.1", true}, RealModel{"super_resolution_subpixel", true},
                      RealModel{"ultraface_version-RFB-320", true}, RealModel{"vww_mobilenetv1_025_96", true},
                      RealModel{"yolox_nano", true}));

}  // namespace
}  // namespace cleave::exec
