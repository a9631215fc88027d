#include <onnx/defs/schema.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>

#include "core/error.h"
#include "graph/builder.h"
#include "graph/einsum_equation.h"
#include "graph/onnx_codec.h"
#include "graph/onnx_newer.h"
#include "graph/onnx_read.h"
#include "graph/resolve_shapes.h"

namespace cleave::graph {

namespace {

/// How much is known: a type, a rank, then sizes before names of sizes.
std::size_t knowledge(const TensorInfo& info) {
  if (info.dtype == DType::kUndefined) return 0;
  if (!info.ranked) return 1;
  std::size_t known = 2;
  for (std::size_t i = 0; i < info.shape.size(); ++i) {
    const bool named = i < info.dimension_names.size() && !info.dimension_names[i].empty();
    known += info.shape[i] >= 0 ? 2 : named ? 1 : 0;
  }
  return known;
}

void collect(const google::protobuf::RepeatedPtrField<onnx::ValueInfoProto>& values,
             std::map<std::string, TensorInfo>& types) {
  for (const auto& value : values) {
    if (!value.type().has_tensor_type()) continue;
    types[value.name()] = read_value_info(value);
  }
}

/// libonnx finds no more than the rank of Einsum's result.
std::optional<Shape> shape_of_einsum(const Graph& graph, const Node& node) {
  std::vector<Shape> shapes;
  std::vector<std::size_t> ranks;
  for (const TensorId id : node.inputs) {
    if (id == TensorId::kNone || !is_fully_known(graph.tensor(id))) return std::nullopt;
    shapes.push_back(graph.tensor(id).shape);
    ranks.push_back(shapes.back().size());
  }
  try {
    const EinsumEquation equation = parse_einsum(node.text("equation", ""), ranks);
    return einsum_shape(equation, einsum_sizes(equation, shapes));
  } catch (const Error&) {
    return std::nullopt;  // an honest "not known"; the caller reports it
  }
}

void infer_einsums(const Graph& graph, std::map<std::string, TensorInfo>& types) {
  for (const Node& node : graph.nodes()) {
    if (node.op != "Einsum" || !node.domain.empty() || node.inputs.empty()) continue;
    const auto shape = shape_of_einsum(graph, node);
    if (!shape) continue;
    const std::string& name = graph.tensor(node.outputs[0]).name;
    types[name] = {name, graph.tensor(node.inputs[0]).dtype, true, *shape, {}};
  }
}

}  // namespace

std::map<std::string, TensorInfo> infer_types(const Graph& graph) {
  onnx::ModelProto model;
  write_model(graph, Weights::kSkeleton, model);
  std::map<std::string, TensorInfo> types;
  try {
    const onnx::ShapeInferenceOptions options{/*check_type=*/false, /*strict_mode=*/0, /*data_prop=*/true};
    onnx::shape_inference::InferShapes(model, &schemas_with_newer(), options);
  } catch (const std::exception&) {
    return types;  // libonnx gives up on the first contradiction; what is still unknown is reported by the caller
  }
  collect(model.graph().value_info(), types);
  collect(model.graph().output(), types);
  infer_einsums(graph, types);
  return types;
}

Graph with_types(const Graph& graph, const std::map<std::string, TensorInfo>& types) {
  GraphBuilder builder(graph);
  for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
    const auto id = static_cast<TensorId>(i);
    if (graph.is_input(id) || graph.constant(id) != nullptr) continue;
    const auto found = types.find(graph.tensor(id).name);
    if (found == types.end() || knowledge(found->second) <= knowledge(graph.tensor(id))) continue;
    builder.tensor_at(id) = found->second;
  }
  return builder.build();
}

int newest_known_ir_version() {
  return static_cast<int>(onnx::Version::IR_VERSION);
}

}  // namespace cleave::graph
