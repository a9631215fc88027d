#include "graph/operator_types.h"

#include <onnx/defs/schema.h>

#include <algorithm>

#include "graph/operator_versions.h"

namespace cleave::graph {
namespace {

using Parameter = onnx::OpSchema::FormalParameter;

/// ONNX's spelling, as in "tensor(float)".
std::string type_text(DType dtype) {
  std::string name(dtype_name(dtype));
  if (dtype == DType::kFloat32) name = "float";
  if (dtype == DType::kFloat64) name = "double";
  if (dtype == DType::kString) name = "string";
  return "tensor(" + name + ")";
}

bool allows(const Parameter& parameter, DType dtype) {
  const std::string text = type_text(dtype);
  return std::any_of(parameter.GetTypes().begin(), parameter.GetTypes().end(),
                     [&](const std::string* allowed) { return *allowed == text; });
}

/// The parameter that input i belongs to; the last one may stand for several. nullptr when there is none.
const Parameter* parameter_of(const onnx::OpSchema& schema, std::size_t i) {
  if (i < schema.inputs().size()) return &schema.inputs()[i];
  const bool several = !schema.inputs().empty() && schema.inputs().back().GetOption() == onnx::OpSchema::Variadic;
  return several ? &schema.inputs().back() : nullptr;
}

}  // namespace

std::optional<std::string> contradicting_types(const Graph& graph, const Node& node) {
  if (graph.opset() > newest_known_opset()) return std::nullopt;
  const onnx::OpSchema* schema = onnx::OpSchemaRegistry::Schema(node.op, graph.opset(), node.domain);
  if (schema == nullptr) return std::nullopt;
  std::map<std::string, TensorId> first;  // by type variable
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Parameter* parameter = parameter_of(*schema, i);
    if (node.inputs[i] == TensorId::kNone || parameter == nullptr) continue;
    const TensorInfo& info = graph.tensor(node.inputs[i]);
    const std::string name(dtype_name(info.dtype));
    if (i > 0 && !allows(*parameter, info.dtype)) {
      return "element type " + name + " of '" + info.name + "' is not possible there";
    }
    if (!parameter->GetIsHomogeneous()) continue;
    const TensorInfo& other = graph.tensor(first.try_emplace(parameter->GetTypeStr(), node.inputs[i]).first->second);
    if (other.dtype != info.dtype) {
      return "element types of '" + other.name + "' (" + std::string(dtype_name(other.dtype)) + ") and '" + info.name +
             "' (" + name + ") differ";
    }
  }
  return std::nullopt;
}

}  // namespace cleave::graph
