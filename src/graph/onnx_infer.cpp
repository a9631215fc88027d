#include <onnx/defs/schema.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>

#include "graph/builder.h"
#include "graph/onnx_codec.h"
#include "graph/onnx_read.h"

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

}  // namespace

std::map<std::string, TensorInfo> infer_types(const Graph& graph) {
  onnx::ModelProto model;
  write_model(graph, Weights::kSkeleton, model);
  std::map<std::string, TensorInfo> types;
  try {
    const onnx::ShapeInferenceOptions options{/*check_type=*/false, /*strict_mode=*/0, /*data_prop=*/true};
    onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(), options);
  } catch (const std::exception&) {
    return types;  // libonnx gives up on the first contradiction; what is still unknown is reported by the caller
  }
  collect(model.graph().value_info(), types);
  collect(model.graph().output(), types);
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
