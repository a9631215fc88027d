#include "helpers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "graph/onnx_write.h"
#include "support/ort.h"
#include "support/shared.h"
#include "support/temporary_folder.h"

namespace cleave::graph::testing {

Tensor random_tensor(const Shape& shape, std::uint32_t seed, float low, float high) {
  std::mt19937 generator(seed);
  Tensor tensor(DType::kFloat32, shape);
  for (float& value : tensor.mutable_data<float>()) {
    value = low + (high - low) * static_cast<float>(generator() >> 8) / 16777216.0F;
  }
  return tensor;
}

Tensor ints(const std::vector<std::int64_t>& values) {
  return Tensor::from<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}

std::map<std::string, Tensor> random_inputs(const Graph& graph, std::uint32_t seed) {
  std::map<std::string, Tensor> inputs;
  for (const TensorId id : graph.inputs()) {
    const TensorInfo& info = graph.tensor(id);
    Shape shape = info.shape;
    for (std::int64_t& dimension : shape) dimension = std::max<std::int64_t>(dimension, 1);
    inputs[info.name] = random_tensor(shape, seed++);
  }
  return inputs;
}

std::map<std::string, Tensor> run(const Graph& graph, const std::map<std::string, Tensor>& inputs) {
  const cleave::testing::TemporaryFolder folder;
  save_onnx(graph, folder / "graph.onnx");
  return cleave::testing::ort_run(folder / "graph.onnx", inputs);
}

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double float_difference(const Tensor& expected, const Tensor& got) {
  const auto a = expected.data<float>();
  const auto b = got.data<float>();
  if (a.empty()) return 0;
  const auto [low, high] = std::minmax_element(a.begin(), a.end());
  const double spread = static_cast<double>(*high) - static_cast<double>(*low);
  const double range = std::max(spread > 0 ? spread : std::abs(static_cast<double>(*high)), 1e-6);
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(difference <= worst)) worst = difference;
  }
  return worst / range;
}

}  // namespace

double difference(const std::map<std::string, Tensor>& expected, const std::map<std::string, Tensor>& got) {
  if (expected.size() != got.size()) return kInfinity;
  double worst = 0;
  for (const auto& [name, tensor] : expected) {
    const auto other = got.find(name);
    if (other == got.end() || other->second.dtype() != tensor.dtype() || other->second.shape() != tensor.shape()) {
      return kInfinity;
    }
    if (tensor.dtype() == DType::kFloat32) {
      worst = std::max(worst, float_difference(tensor, other->second));
    } else if (!std::equal(tensor.raw().begin(), tensor.raw().end(), other->second.raw().begin())) {
      return kInfinity;
    }
  }
  return worst;
}

std::vector<std::filesystem::path> real_models() {
  std::vector<std::filesystem::path> models;
  for (const auto& entry : std::filesystem::directory_iterator(cleave::testing::shared_dir() / "data/models")) {
    if (entry.path().extension() == ".onnx") models.push_back(entry.path());
  }
  std::sort(models.begin(), models.end());
  return models;
}

Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no Error was thrown";
  return Error(ErrorKind::kUsage, "nothing was thrown");
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

int count_op(const Graph& graph, const std::string& op) {
  const auto nodes = graph.nodes();
  return static_cast<int>(std::count_if(nodes.begin(), nodes.end(), [&op](const Node& n) { return n.op == op; }));
}

}  // namespace cleave::graph::testing
