#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>
#include <onnx/version_converter/convert.h>

#include <algorithm>

#include "core/error.h"
#include "graph/builder.h"
#include "graph/onnx_read.h"
#include "graph/resolve_shapes.h"

namespace cleave::graph {

namespace {

Error not_raised(const Graph& graph, int opset, const std::string& why) {
  return Error(
      ErrorKind::kUnsupported,
      "cannot be raised from opset " + std::to_string(graph.opset()) + " to " + std::to_string(opset) + ": " + why,
      "Export the network again at opset 13 or newer.");
}

/// What the converter does not know: BatchNormalization lost its attribute `spatial` (1 is today's meaning) in opset 9.
Graph without_old_attributes(const Graph& graph, int opset) {
  GraphBuilder builder(graph);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    Node& node = builder.node_at(static_cast<NodeId>(n));
    if (node.op != "BatchNormalization" || !node.domain.empty()) continue;
    if (node.integer("spatial", 1) != 1) {
      throw not_raised(graph, opset, "node '" + node.name + "': BatchNormalization with spatial=0");
    }
    node.attributes.erase("spatial");
  }
  return builder.build();
}

/// What the converter forgets: before opset 7 a list of slopes belonged to the channels of x (N, C, ...), from 7 on it
/// is aligned with the last dimension.
Graph with_channel_slopes(const Graph& graph, int opset) {
  constexpr int kNumpyBroadcasting = 7;
  if (graph.opset() >= kNumpyBroadcasting) return graph;
  const std::map<std::string, TensorInfo> ranks = infer_ranks(graph);
  GraphBuilder builder(graph);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    Node& node = builder.node_at(static_cast<NodeId>(n));
    if (node.op != "PRelu" || !node.domain.empty() || node.inputs.size() != 2) continue;
    const Tensor* slope = graph.constant(node.inputs[1]);
    if (slope != nullptr && slope->elements() == 1) continue;
    const auto x = ranks.find(graph.tensor(node.inputs[0]).name);
    if (slope == nullptr || slope->shape().size() != 1 || x == ranks.end() || x->second.shape.size() < 2) {
      throw not_raised(graph, opset, "node '" + node.name + "': PRelu whose slopes or rank are not known");
    }
    Shape per_channel(x->second.shape.size() - 1, 1);
    per_channel[0] = slope->elements();
    node.inputs[1] = builder.constant(builder.free_name(node.name + "_slope"), slope->reshaped(per_channel));
  }
  return builder.build();
}

/// How opset 10 rounds to the nearest pixel: down where it enlarges, up where it shrinks (as ONNX Runtime does; the
/// specification leaves it open). Empty when one node does both, which opset 11 cannot say.
std::optional<std::string> old_rounding(const Graph& graph, const Node& resize) {
  const Tensor* scales = resize.input(2) == TensorId::kNone ? nullptr : graph.constant(resize.input(2));
  if (scales == nullptr || scales->dtype() != DType::kFloat32) return "floor";
  const auto values = scales->data<float>();
  const bool shrinks = std::any_of(values.begin(), values.end(), [](float scale) { return scale < 1; });
  const bool enlarges = std::any_of(values.begin(), values.end(), [](float scale) { return scale > 1; });
  if (shrinks && enlarges) return std::nullopt;
  return shrinks ? "ceil" : "floor";
}

/// What the converter forgets: before opset 11, Resize (and Upsample, which becomes Resize) always mapped coordinates
/// as output / scale; from 11 on an attribute says so and another mapping is the default.
void keep_old_resize(const Graph& raised, const Graph& original, int opset, GraphBuilder& builder) {
  for (std::size_t n = 0; n < raised.nodes().size(); ++n) {
    Node& node = builder.node_at(static_cast<NodeId>(n));
    if (node.op != "Resize" || !node.domain.empty()) continue;
    node.attributes["coordinate_transformation_mode"] = std::string("asymmetric");
    if (node.text("mode", "nearest") != "nearest") continue;
    const auto rounding = old_rounding(raised, node);
    if (!rounding) throw not_raised(original, opset, "node '" + node.name + "': Resize both enlarges and shrinks");
    node.attributes["nearest_mode"] = *rounding;
  }
}

onnx::ModelProto convert(const Graph& graph, int opset) {
  onnx::ModelProto model;
  write_model(graph, Weights::kSkeleton, model);
  try {
    onnx::shape_inference::InferShapes(model);  // some adapters (Softmax) need the rank of their input
    return onnx::version_conversion::ConvertVersion(model, opset);
  } catch (const std::exception& error) {
    throw not_raised(graph, opset, error.what());
  }
}

std::map<std::string, Tensor> left_out_constants(const Graph& graph) {
  std::map<std::string, Tensor> constants;
  for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
    const auto id = static_cast<TensorId>(i);
    const Tensor* value = graph.constant(id);
    if (value != nullptr && value->elements() > kSkeletonElements) constants[graph.tensor(id).name] = *value;
  }
  return constants;
}

const Node& node_called(const Graph& graph, const std::string& name, int opset) {
  for (const Node& node : graph.nodes()) {
    if (node.name == name) return node;
  }
  throw not_raised(graph, opset, "node '" + name + "' changes its name");
}

/// What input i of a loop's or scan's body is, where the body does not say it.
DType formal_type(const Graph& around, const Node& node, std::size_t i) {
  if (node.op == "Loop" && i == 0) return DType::kInt64;
  if (node.op == "Loop" && i == 1) return DType::kBool;
  return node.input(i) == TensorId::kNone ? DType::kUndefined : around.tensor(node.input(i)).dtype;
}

/// A subgraph with what the graph around it knows of its inputs.
Graph with_input_types(const Graph& inner, const Graph& around, const Node& node) {
  GraphBuilder builder(inner);
  for (std::size_t i = 0; i + node.captured < inner.inputs().size(); ++i) {
    TensorInfo& info = builder.tensor_at(inner.inputs()[i]);
    if (info.dtype == DType::kUndefined) info.dtype = formal_type(around, node, i);
  }
  for (std::size_t i = 0; i < node.captured; ++i) {
    const TensorId inside = inner.inputs()[inner.inputs().size() - node.captured + i];
    TensorInfo info = around.tensor(node.inputs[node.inputs.size() - node.captured + i]);
    info.name = inner.tensor(inside).name;
    builder.tensor_at(inside) = info;
  }
  return builder.build();
}

/// The converter leaves subgraphs as they are: each is raised as a network of its own, from `original`.
void raise_subgraphs(const Graph& original, int opset, GraphBuilder& builder) {
  for (std::size_t n = 0; n < builder.node_count(); ++n) {
    if (!builder.node_at(static_cast<NodeId>(n)).has_subgraph()) continue;
    const std::string name = builder.node_at(static_cast<NodeId>(n)).name;
    const Node& before = node_called(original, name, opset);
    constexpr int kScanWithoutBatch = 9;
    if (before.op == "Scan" && original.opset() < kScanWithoutBatch) {
      throw not_raised(original, opset, "node '" + name + "': Scan of opset 8");
    }
    std::vector<TensorId> captured;
    for (std::size_t i = before.inputs.size() - before.captured; i < before.inputs.size(); ++i) {
      captured.push_back(builder.tensor(original.tensor(before.inputs[i]).name));
    }
    Node& node = builder.node_at(static_cast<NodeId>(n));
    node.inputs.resize(node.inputs.size() - node.captured);
    node.inputs.insert(node.inputs.end(), captured.begin(), captured.end());
    node.captured = before.captured;
    for (const auto& [key, value] : before.attributes) {
      const auto* inner = std::get_if<std::shared_ptr<const Graph>>(&value);
      if (inner == nullptr) continue;
      const Graph typed = with_input_types(**inner, original, before);
      node.attributes[key] = std::make_shared<const Graph>(raise_opset(typed, opset));
    }
  }
}

std::vector<std::string> names(const Graph& graph, std::span<const TensorId> ids) {
  std::vector<std::string> result;
  for (const TensorId id : ids) result.push_back(graph.tensor(id).name);
  return result;
}

}  // namespace

Graph raise_opset(const Graph& graph, int opset) {
  constexpr std::size_t kMostNodes = 20'000;  // the converter takes time with the square of their number
  if (graph.nodes().size() > kMostNodes) throw not_raised(graph, opset, "it has more than 20 000 nodes");
  constexpr int kIrVersion = 7;  // of opset 13; from IR 4 on, initializers are no inputs
  GraphBuilder newer(with_channel_slopes(without_old_attributes(graph, opset), opset));
  newer.set_versions(graph.opset(), std::max(kIrVersion, graph.ir_version()));
  const Graph source = newer.build();
  const Graph ranked = with_types(source, infer_ranks(source));
  const auto converted = std::make_shared<onnx::ModelProto>(convert(ranked, opset));
  std::vector<Finding> problems;
  ExternalData nothing_outside("");
  LoadOptions options;
  std::optional<Graph> raised = read_graph(converted, nothing_outside, options, left_out_constants(source), problems);
  if (!raised) throw not_raised(graph, opset, problems.empty() ? "the result is broken" : problems.front().what);
  if (names(*raised, raised->inputs()) != names(graph, graph.inputs()) ||
      names(*raised, raised->outputs()) != names(graph, graph.outputs())) {
    throw not_raised(graph, opset, "inputs or outputs change their names");
  }
  GraphBuilder result(*raised);
  constexpr int kResizeWithModes = 11;
  if (graph.opset() < kResizeWithModes) keep_old_resize(*raised, graph, opset, result);
  raise_subgraphs(with_types(ranked, infer_types(ranked)), opset, result);
  for (const auto& [key, value] : graph.metadata()) result.set_metadata(key, value);
  result.set_versions(opset, std::max(kIrVersion, graph.ir_version()));
  return result.build();
}

}  // namespace cleave::graph
