#include "graph/onnx_write.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <limits>
#include <type_traits>

#include "core/check.h"
#include "core/error.h"
#include "core/file.h"
#include "graph/onnx_codec.h"
#include "graph/onnx_read.h"
#include "graph/operator_versions.h"
#include "graph/resolve_shapes.h"

namespace cleave::graph {

namespace {

constexpr std::int64_t kMostBytes = std::numeric_limits<std::int32_t>::max();

void write_graph(const Graph& graph, Weights weights, onnx::GraphProto& proto);

struct AttributeWriter {
  onnx::AttributeProto& proto;

  void operator()(std::int64_t value) {
    proto.set_type(onnx::AttributeProto::INT);
    proto.set_i(value);
  }
  void operator()(float value) {
    proto.set_type(onnx::AttributeProto::FLOAT);
    proto.set_f(value);
  }
  void operator()(const std::string& value) {
    proto.set_type(onnx::AttributeProto::STRING);
    proto.set_s(value);
  }
  void operator()(const Tensor& value) {
    proto.set_type(onnx::AttributeProto::TENSOR);
    write_tensor(value, "", *proto.mutable_t());
  }
  void operator()(const std::vector<std::int64_t>& values) {
    proto.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) proto.add_ints(value);
  }
  void operator()(const std::vector<float>& values) {
    proto.set_type(onnx::AttributeProto::FLOATS);
    for (const float value : values) proto.add_floats(value);
  }
  void operator()(const std::vector<std::string>& values) {
    proto.set_type(onnx::AttributeProto::STRINGS);
    for (const std::string& value : values) proto.add_strings(value);
  }
  void operator()(const std::shared_ptr<const Graph>& value) {
    proto.set_type(onnx::AttributeProto::GRAPH);
    write_graph(*value, Weights::kWhole, *proto.mutable_g());
  }
};

void write_node(const Graph& graph, const Node& node, onnx::NodeProto& proto) {
  const auto name_of = [&graph](TensorId id) { return id == TensorId::kNone ? "" : graph.tensor(id).name; };
  proto.set_name(node.name);
  proto.set_op_type(node.op);
  if (!node.domain.empty()) proto.set_domain(node.domain);
  for (const TensorId id : node.inputs) proto.add_input(name_of(id));
  for (const TensorId id : node.outputs) proto.add_output(name_of(id));
  for (const auto& [key, value] : node.attributes) {
    onnx::AttributeProto& attribute = *proto.add_attribute();
    attribute.set_name(key);
    std::visit(AttributeWriter{attribute}, value);
  }
}

bool stays_out(const Tensor& constant, Weights weights) {
  return weights == Weights::kSkeleton && constant.elements() > kSkeletonElements;
}

void write_graph(const Graph& graph, Weights weights, onnx::GraphProto& proto) {
  proto.set_name(graph.name());
  for (const TensorId id : graph.inputs()) write_value_info(graph.tensor(id), *proto.add_input());
  for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
    const auto id = static_cast<TensorId>(i);
    const TensorInfo& info = graph.tensor(id);
    if (const Tensor* value = graph.constant(id)) {
      if (stays_out(*value, weights)) {
        write_value_info(info, *proto.add_input());
      } else {
        write_tensor(*value, info.name, *proto.add_initializer());
      }
    } else if (info.dtype != DType::kUndefined && !graph.is_input(id) && !graph.is_output(id)) {
      write_value_info(info, *proto.add_value_info());
    }
  }
  for (const TensorId id : graph.outputs()) write_value_info(graph.tensor(id), *proto.add_output());
  for (const Node& node : graph.nodes()) write_node(graph, node, *proto.add_node());
}

void require_file_size(const Graph& graph) {
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
    const Tensor* value = graph.constant(static_cast<TensorId>(i));
    if (value != nullptr) bytes += static_cast<std::int64_t>(value->bytes());
  }
  if (bytes < kMostBytes) return;
  throw Error(ErrorKind::kUnsupported,
              "the network's weights need " + std::to_string(bytes) + " bytes, but an ONNX file holds less than 2 GB");
}

std::string serialize(const onnx::ModelProto& model) {
  if (model.ByteSizeLong() >= static_cast<std::size_t>(kMostBytes)) {
    throw Error(ErrorKind::kUnsupported, "the network needs " + std::to_string(model.ByteSizeLong()) +
                                             " bytes, but an ONNX file holds less than 2 GB");
  }
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    CLEAVE_CHECK(model.SerializeToCodedStream(&coded), "every required field is set");
  }
  return bytes;
}

void check(const onnx::ModelProto& model) {
  try {
    onnx::checker::check_model(model);
  } catch (const std::exception& error) {
    throw Error(ErrorKind::kInvalidInput, std::string("the ONNX checker refuses the network: ") + error.what());
  }
}

/// ONNX wants a type and a rank for every network output; a graph made by hand may not have said them.
Graph with_typed_outputs(const Graph& graph) {
  const auto all_typed = [](const Graph& g) {
    return std::all_of(g.outputs().begin(), g.outputs().end(),
                       [&g](TensorId id) { return g.tensor(id).dtype != DType::kUndefined && g.tensor(id).ranked; });
  };
  if (all_typed(graph)) return graph;
  const Graph inferred = with_types(graph, infer_types(graph));
  return all_typed(inferred) ? inferred : with_types(inferred, infer_ranks(inferred));
}

}  // namespace

void write_model(const Graph& graph, Weights weights, onnx::ModelProto& model) {
  model.set_ir_version(graph.ir_version());
  model.set_producer_name("cleave");
  onnx::OperatorSetIdProto& own = *model.add_opset_import();
  own.set_domain("");
  own.set_version(graph.opset());
  for (const auto& [domain, version] : graph.extra_domains()) {
    onnx::OperatorSetIdProto& extra = *model.add_opset_import();
    extra.set_domain(domain);
    extra.set_version(version);
  }
  for (const auto& [key, value] : graph.metadata()) {
    auto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  write_graph(graph, weights, *model.mutable_graph());
}

std::string to_onnx(const Graph& graph) {
  require_file_size(graph);
  onnx::ModelProto model;
  write_model(with_typed_outputs(graph), Weights::kWhole, model);
  const std::string bytes = serialize(model);
  if (graph.opset() <= newest_known_opset() && graph.ir_version() <= newest_known_ir_version()) check(model);
  return bytes;
}

void save_onnx(const Graph& graph, const std::filesystem::path& path) {
  write_file_atomically(path, to_onnx(graph));
}

}  // namespace cleave::graph
