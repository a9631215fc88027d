#include "graph/onnx_write.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <span>
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

/// What the tensors of a graph are called in the file. In a subgraph the captured inputs have the names of what they
/// stand for, and no own tensor may hide a name of the graphs around.
class Naming {
 public:
  explicit Naming(const Graph& graph) : graph_(graph) { name_own(); }

  Naming(const Graph& graph, const Node& node, const Naming& around)
      : graph_(graph), captured_(node.captured), taken_(around.taken_) {
    for (std::size_t i = 0; i < captured_; ++i) {
      names_[graph.inputs()[own_inputs().size() + i]] = around.of(node.inputs[node.inputs.size() - captured_ + i]);
    }
    name_own();
  }

  const Graph& graph() const { return graph_; }
  const std::string& of(TensorId id) const { return names_.at(id); }
  /// The inputs that the file lists.
  std::span<const TensorId> own_inputs() const { return graph_.inputs().first(graph_.inputs().size() - captured_); }
  bool is_captured(TensorId id) const {
    const auto captured = graph_.inputs().last(captured_);
    return std::find(captured.begin(), captured.end(), id) != captured.end();
  }
  TensorInfo info(TensorId id) const {
    TensorInfo info = graph_.tensor(id);
    info.name = of(id);
    return info;
  }

 private:
  void name_own() {
    for (std::size_t i = 0; i < graph_.tensor_count(); ++i) {
      const auto id = static_cast<TensorId>(i);
      if (names_.contains(id)) continue;
      const std::string& wish = graph_.tensor(id).name;
      std::string name = wish;
      for (int n = 1; !taken_.insert(name).second; ++n) name = wish + "_" + std::to_string(n);
      names_[id] = name;
    }
  }

  const Graph& graph_;
  std::size_t captured_ = 0;
  std::map<TensorId, std::string> names_;
  std::set<std::string> taken_;  ///< here and around
};

void write_graph(const Naming& naming, Weights weights, onnx::GraphProto& proto);

struct AttributeWriter {
  const Naming& around;
  const Node& node;
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
    write_graph(Naming(*value, node, around), Weights::kWhole, *proto.mutable_g());
  }
};

void write_node(const Naming& naming, const Node& node, onnx::NodeProto& proto) {
  const auto name_of = [&naming](TensorId id) { return id == TensorId::kNone ? std::string() : naming.of(id); };
  proto.set_name(node.name);
  proto.set_op_type(node.op);
  if (!node.domain.empty()) proto.set_domain(node.domain);
  const auto own_inputs = std::span(node.inputs).first(node.inputs.size() - node.captured);
  for (const TensorId id : own_inputs) proto.add_input(name_of(id));
  for (const TensorId id : node.outputs) proto.add_output(name_of(id));
  for (const auto& [key, value] : node.attributes) {
    onnx::AttributeProto& attribute = *proto.add_attribute();
    attribute.set_name(key);
    std::visit(AttributeWriter{naming, node, attribute}, value);
  }
}

bool stays_out(const Tensor& constant, Weights weights) {
  return weights == Weights::kSkeleton && constant.elements() > kSkeletonElements;
}

void write_graph(const Naming& naming, Weights weights, onnx::GraphProto& proto) {
  const Graph& graph = naming.graph();
  proto.set_name(graph.name());
  for (const TensorId id : naming.own_inputs()) write_value_info(naming.info(id), *proto.add_input());
  for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
    const auto id = static_cast<TensorId>(i);
    if (const Tensor* value = graph.constant(id)) {
      if (stays_out(*value, weights)) {
        write_value_info(naming.info(id), *proto.add_input());
      } else {
        write_tensor(*value, naming.of(id), *proto.add_initializer());
      }
    } else if (graph.tensor(id).dtype != DType::kUndefined && !graph.is_input(id) && !graph.is_output(id)) {
      write_value_info(naming.info(id), *proto.add_value_info());
    }
  }
  for (const TensorId id : graph.outputs()) write_value_info(naming.info(id), *proto.add_output());
  for (const Node& node : graph.nodes()) write_node(naming, node, *proto.add_node());
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
  write_graph(Naming(graph), weights, *model.mutable_graph());
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
