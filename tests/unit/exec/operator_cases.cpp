#include "operator_cases.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "exec/session.h"
#include "graph/builder.h"
#include "graph/onnx_write.h"
#include "random_tensor.h"
#include "support/ort.h"
#include "support/temporary_folder.h"

namespace cleave::exec::testing {
namespace {

using graph::GraphBuilder;
using graph::TensorId;

enum class Route { kStraight, kBehindConv, kBehindVisibleConv };

bool is_image(const OperatorCase& c) {
  const Operand& first = c.inputs.front();
  return first.kind == Operand::Kind::kInput && first.value.dtype() == DType::kFloat32 &&
         first.value.shape().size() == 4;
}

/// The network of all cases; tensors that ONNX Runtime reports get their shapes from `known`.
class CaseGraph {
 public:
  CaseGraph(const std::vector<OperatorCase>& cases, int opset, const std::map<std::string, Tensor>& known)
      : known_(known) {
    builder_.set_versions(opset, opset > 17 ? 9 : 8);
    for (std::size_t i = 0; i < cases.size(); ++i) add(cases[i], "c" + std::to_string(i));
  }

  graph::Graph build() { return builder_.build(); }
  const std::map<std::string, Tensor>& feeds() const { return feeds_; }

 private:
  void add(const OperatorCase& c, const std::string& prefix) {
    std::vector<TensorId> inputs;
    for (std::size_t k = 0; k < c.inputs.size(); ++k) inputs.push_back(operand(c.inputs[k], prefix, k));
    add_node(c, prefix + "_straight", inputs);
    if (!is_image(c)) return;
    const TensorId image = inputs[0];
    inputs[0] = behind_conv(image, c.inputs[0].value.shape(), prefix + "_hidden");
    add_node(c, prefix + "_fused", inputs);
    inputs[0] = behind_conv(image, c.inputs[0].value.shape(), prefix + "_visible");
    builder_.output(inputs[0]);
    add_node(c, prefix + "_unfused", inputs);
  }

  TensorId operand(const Operand& operand, const std::string& prefix, std::size_t k) {
    const std::string name = prefix + "_in" + std::to_string(k);
    if (operand.kind == Operand::Kind::kAbsent) return TensorId::kNone;
    if (operand.kind == Operand::Kind::kConstant) return builder_.constant(name, operand.value);
    feeds_[name] = operand.value;
    return builder_.input(name, operand.value.dtype(), operand.value.shape());
  }

  TensorId behind_conv(TensorId image, const Shape& shape, const std::string& name) {
    const std::int64_t channels = shape[1];
    const std::vector<float> ones(static_cast<std::size_t>(channels), 1.0f);
    const TensorId weight = builder_.constant(name + "_w", Tensor::from<float>({channels, 1, 1, 1}, ones));
    const TensorId made = builder_.node("Conv", {image, weight}, {name}, {{"group", channels}})[0];
    builder_.set_shape(made, DType::kFloat32, shape);
    return made;
  }

  void add_node(const OperatorCase& c, const std::string& name, const std::vector<TensorId>& inputs) {
    std::vector<DType> types = c.outputs;
    if (types.empty()) types.push_back(c.inputs.front().value.dtype());
    std::vector<std::string> names;
    for (std::size_t i = 0; i < types.size(); ++i) names.push_back(name + "_out" + std::to_string(i));
    const auto made = builder_.node(c.op, inputs, names, c.attributes);
    for (std::size_t i = 0; i < made.size(); ++i) {
      const auto found = known_.find(names[i]);
      if (found == known_.end()) {
        // The checker wants some shape; ONNX Runtime infers the right one.
        builder_.set_shape(made[i], types[i], Shape(c.inputs.front().value.shape().size(), -1));
      } else {
        builder_.set_shape(made[i], types[i], found->second.shape());
      }
      builder_.output(made[i]);
    }
  }

  const std::map<std::string, Tensor>& known_;
  GraphBuilder builder_;
  std::map<std::string, Tensor> feeds_;
};

/// "c12_fused_out0" -> 12
std::size_t case_of(const std::string& output) {
  return std::stoul(output.substr(1));
}

void compare(const graph::Graph& graph, const std::map<std::string, Tensor>& feeds, Kernels kernels,
             const std::map<std::string, Tensor>& expected, const std::vector<OperatorCase>& cases, double tolerance) {
  std::vector<Tensor> inputs;
  for (const TensorId id : graph.inputs()) inputs.push_back(feeds.at(graph.tensor(id).name));
  const std::vector<Tensor> outputs = Session(graph, {kernels, 1}).run(inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string& name = graph.tensor(graph.outputs()[i]).name;
    const bool real = outputs[i].dtype() == DType::kFloat32 || outputs[i].dtype() == DType::kFloat64;
    const OperatorCase& c = cases[case_of(name)];
    EXPECT_LE(relative_difference(outputs[i], expected.at(name)), real ? tolerance : 0.0)
        << c.op << " " << c.label << ", " << name << ", " << (kernels == Kernels::kFast ? "fast" : "reference");
  }
}

}  // namespace

Operand input(Tensor value) {
  return {Operand::Kind::kInput, std::move(value)};
}
Operand constant(Tensor value) {
  return {Operand::Kind::kConstant, std::move(value)};
}
Operand absent() {
  return {Operand::Kind::kAbsent, {}};
}

Operand integers(const std::vector<std::int64_t>& values) {
  return constant(Tensor::from<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
}

Operand numbers(const std::vector<float>& values) {
  return constant(Tensor::from<float>({static_cast<std::int64_t>(values.size())}, values));
}

Operand number(float value) {
  return constant(Tensor::scalar(value));
}

Operand image(std::uint64_t seed, const Shape& shape) {
  return input(random_floats(shape, seed));
}

Operand weights(const Shape& shape) {
  return constant(random_floats(shape, 2));
}

void expect_like_onnx_runtime(const std::vector<OperatorCase>& cases, int opset, double tolerance) {
  const cleave::testing::TemporaryFolder folder;
  const auto file = folder / "cases.onnx";
  CaseGraph unshaped(cases, opset, {});
  graph::save_onnx(unshaped.build(), file);
  const auto expected = cleave::testing::ort_run(file, unshaped.feeds());
  CaseGraph shaped(cases, opset, expected);
  const graph::Graph graph = shaped.build();
  compare(graph, shaped.feeds(), Kernels::kReference, expected, cases, tolerance);
  compare(graph, shaped.feeds(), Kernels::kFast, expected, cases, tolerance);
}

}  // namespace cleave::exec::testing
