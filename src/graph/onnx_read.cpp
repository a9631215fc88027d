#include "graph/onnx_read.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <limits>
#include <set>

#include "core/error.h"
#include "graph/builder.h"
#include "graph/onnx_functions.h"

namespace cleave::graph {

namespace {

constexpr std::int64_t kOldestIrVersion = 3;
constexpr std::size_t kMostFindings = 1000;  // a hostile file must not fill the memory with complaints

std::string own_domain(const std::string& domain) {
  return domain == "ai.onnx" ? "" : domain;
}

/// One GraphProto to one Graph; subgraphs by a reader of their own.
class GraphReader {
 public:
  struct Context {
    std::shared_ptr<onnx::ModelProto> model;  ///< raw bytes of weights are taken out of it
    ExternalData& external;
    const LoadOptions& options;
    const std::map<std::string, Tensor>& left_out;
    std::vector<Finding>& problems;
    std::map<std::string, int> domains;
    int ir_version = 0;
    std::int64_t nodes_seen = 0;
  };

  GraphReader(Context& context, int depth) : context_(context), depth_(depth) {}

  std::optional<Graph> read(const onnx::GraphProto& proto) {
    const std::size_t before = context_.problems.size();
    if (depth_ > context_.options.max_depth) {
      complain(ErrorKind::kInvalidInput, "",
               "subgraphs are nested more than " + std::to_string(context_.options.max_depth) + " deep");
      return std::nullopt;
    }
    context_.nodes_seen += proto.node_size();
    if (context_.nodes_seen > context_.options.max_nodes) {
      complain(ErrorKind::kInvalidInput, "",
               "the network has more than " + std::to_string(context_.options.max_nodes) + " nodes");
      return std::nullopt;
    }
    read_header(proto);
    read_constants(proto);
    read_inputs(proto);
    choose_node_names(proto);
    for (int i = 0; i < proto.node_size(); ++i) {
      complete_ &= guarded(node_label(i), [&] { read_node(proto.node(i), i); });
    }
    read_known_types(proto);
    read_outputs(proto);
    if (depth_ > 0) capture_from_around(proto);
    std::optional<Graph> graph;
    if (complete_) guarded("", [&] { graph = builder_.build(); });
    if (context_.problems.size() > before) return std::nullopt;
    return graph;
  }

 private:
  void complain(ErrorKind kind, const std::string& where, const std::string& what, const std::string& hint = {}) {
    if (context_.problems.size() < kMostFindings) context_.problems.push_back({kind, where, what, hint});
  }

  /// Runs one step; what it throws becomes a finding, so that the next step can report too. False when it threw.
  template <typename Step>
  bool guarded(const std::string& where, Step step) {
    try {
      step();
      return true;
    } catch (const Error& error) {
      complain(error.kind(), where, error.what(), error.hint());
      return false;
    }
  }

  std::string node_label(int i) const { return "node '" + node_names_[static_cast<std::size_t>(i)] + "'"; }

  void read_header(const onnx::GraphProto& proto) {
    if (!proto.name().empty()) builder_.set_name(proto.name());
    builder_.set_versions(context_.domains.at(""), context_.ir_version);
    for (const auto& [domain, version] : context_.domains) {
      if (!domain.empty()) builder_.set_extra_domain(domain, version);
    }
    if (depth_ > 0) return;
    for (const auto& entry : context_.model->metadata_props()) builder_.set_metadata(entry.key(), entry.value());
  }

  void read_constants(const onnx::GraphProto& proto) {
    for (int i = 0; i < proto.initializer_size(); ++i) {
      guarded("", [&] { add_constant(proto.initializer(i).name(), [&] { return initializer(proto, i); }); });
    }
    for (const auto& sparse : proto.sparse_initializer()) {
      guarded("", [&] { add_sparse_constant(sparse); });
    }
  }

  /// Weights of the network itself leave the message, so that those that a pass replaces can be freed.
  Tensor initializer(const onnx::GraphProto& proto, int i) {
    if (depth_ > 0) return read_tensor(proto.initializer(i), context_.model, context_.external);
    return take_tensor(*context_.model->mutable_graph()->mutable_initializer(i), context_.model, context_.external);
  }

  static void require_good_numbers(const std::string& name, const Tensor& value) {
    if (!has_bad_numbers(value)) return;
    throw Error(ErrorKind::kInvalidInput, "tensor '" + name + "': contains NaN or infinite values",
                "Export the network again from weights that are finite.");
  }

  /// A tensor that cannot be read leaves an empty constant behind, so that the rest can still be looked at.
  template <typename Read>
  void add_constant(const std::string& name, Read read) {
    if (name.empty()) throw Error(ErrorKind::kInvalidInput, "an initializer has no name");
    Tensor value;
    guarded("", [&] {
      Tensor found = read();
      require_good_numbers(name, found);
      value = std::move(found);
    });
    constant_names_.insert(name);
    builder_.constant(name, std::move(value));
  }

  void add_sparse_constant(const onnx::SparseTensorProto& sparse) {
    const std::string& name = sparse.values().name();
    if (name.empty()) throw Error(ErrorKind::kInvalidInput, "a sparse initializer has no name");
    Tensor value;
    guarded("", [&] { value = read_sparse_tensor(sparse, context_.model, context_.external); });
    constant_names_.insert(name);
    builder_.constant(name, std::move(value));
  }

  void read_inputs(const onnx::GraphProto& proto) {
    for (const auto& value : proto.input()) {
      if (constant_names_.contains(value.name())) continue;  // IR 3 lists initializers as inputs too
      const auto known = context_.left_out.find(value.name());
      if (depth_ == 0 && known != context_.left_out.end()) {
        constant_names_.insert(value.name());
        builder_.constant(value.name(), known->second);
        continue;
      }
      complete_ &= guarded("input '" + value.name() + "'", [&] { read_input(value); });
    }
  }

  void read_input(const onnx::ValueInfoProto& value) {
    if (value.name().empty()) throw Error(ErrorKind::kInvalidInput, "an input has no name");
    TensorInfo info = read_value_info(value);
    if (depth_ == 0 && info.dtype == DType::kUndefined) {
      throw Error(ErrorKind::kInvalidInput, "its element type is not given");
    }
    Shape known;
    std::copy_if(info.shape.begin(), info.shape.end(), std::back_inserter(known), [](std::int64_t d) { return d > 0; });
    element_count(known);
    const bool ranked = info.ranked;
    const TensorId id = builder_.input(info.name, info.dtype, std::move(info.shape), std::move(info.dimension_names));
    builder_.tensor_at(id).ranked = ranked;
  }

  /// Nodes keep their names; those without one get the name of what they make.
  void choose_node_names(const onnx::GraphProto& proto) {
    std::set<std::string> taken;
    for (const auto& node : proto.node()) {
      if (!node.name().empty() && !taken.insert(node.name()).second) {
        complain(ErrorKind::kInvalidInput, "node '" + node.name() + "'", "two nodes have this name",
                 "Give every node a name of its own, or none.");
        complete_ = false;
      }
    }
    for (const auto& node : proto.node()) {
      std::string name = node.name();
      if (name.empty()) {
        const auto output = std::find_if(node.output().begin(), node.output().end(),
                                         [](const std::string& text) { return !text.empty(); });
        const std::string wish = output == node.output().end() ? node.op_type() : *output;
        name = wish;
        for (int i = 1; !taken.insert(name).second; ++i) name = wish + "_" + std::to_string(i);
      }
      node_names_.push_back(name);
    }
  }

  void read_node(const onnx::NodeProto& proto, int i) {
    if (proto.op_type().empty()) throw Error(ErrorKind::kInvalidInput, "it has no operator");
    if (read_as_constant(proto)) return;
    std::vector<TensorId> inputs;
    for (const std::string& name : proto.input()) {
      inputs.push_back(name.empty() ? TensorId::kNone : builder_.tensor(name));
      if (!name.empty()) reads_.insert(inputs.back());
    }
    const std::vector<std::string> outputs(proto.output().begin(), proto.output().end());
    if (std::all_of(outputs.begin(), outputs.end(), [](const std::string& name) { return name.empty(); })) {
      throw Error(ErrorKind::kInvalidInput, "it makes no tensor");
    }
    std::map<std::string, AttributeValue> attributes;
    captured_by_.clear();
    for (const auto& attribute : proto.attribute()) {
      if (!attributes.emplace(attribute.name(), read_attribute(attribute)).second) {
        throw Error(ErrorKind::kInvalidInput, "it has the attribute '" + attribute.name() + "' twice");
      }
    }
    const std::vector<TensorId> made =
        builder_.node(proto.op_type(), std::move(inputs), outputs, std::move(attributes),
                      node_names_[static_cast<std::size_t>(i)], own_domain(proto.domain()));
    made_.insert(made.begin(), made.end());
    if (!captured_by_.empty()) give_captured(static_cast<NodeId>(builder_.node_count() - 1));
  }

  /// A Constant node is a constant: one representation is enough everywhere else.
  bool read_as_constant(const onnx::NodeProto& proto) {
    if (proto.op_type() != "Constant" || !own_domain(proto.domain()).empty() || proto.attribute_size() != 1 ||
        proto.output_size() != 1 || proto.output(0).empty()) {
      return false;
    }
    const auto& attribute = proto.attribute(0);
    const std::string& key = attribute.name();
    std::optional<Tensor> value;
    if (key == "value") {
      add_constant(proto.output(0), [&] { return read_tensor(attribute.t(), context_.model, context_.external); });
      return true;
    }
    if (key == "value_float") value = Tensor::scalar<float>(attribute.f());
    if (key == "value_int") value = Tensor::scalar<std::int64_t>(attribute.i());
    if (key == "value_floats") value = list_tensor<float>(attribute.floats());
    if (key == "value_ints") value = list_tensor<std::int64_t>(attribute.ints());
    if (!value) return false;
    builder_.constant(proto.output(0), *value);
    return true;
  }

  template <typename T, typename Field>
  static Tensor list_tensor(const Field& field) {
    return Tensor::from<T>({field.size()}, std::vector<T>(field.begin(), field.end()));
  }

  AttributeValue read_attribute(const onnx::AttributeProto& proto) {
    switch (proto.type()) {
      case onnx::AttributeProto::FLOAT:
        return proto.f();
      case onnx::AttributeProto::INT:
        return static_cast<std::int64_t>(proto.i());
      case onnx::AttributeProto::STRING:
        return proto.s();
      case onnx::AttributeProto::TENSOR:
        return read_tensor(proto.t(), context_.model, context_.external);
      case onnx::AttributeProto::FLOATS:
        return std::vector<float>(proto.floats().begin(), proto.floats().end());
      case onnx::AttributeProto::INTS:
        return std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end());
      case onnx::AttributeProto::STRINGS:
        return std::vector<std::string>(proto.strings().begin(), proto.strings().end());
      case onnx::AttributeProto::GRAPH:
        return read_subgraph(proto);
      default:
        throw Error(ErrorKind::kUnsupported, "the type of attribute '" + proto.name() + "' is not supported");
    }
  }

  AttributeValue read_subgraph(const onnx::AttributeProto& proto) {
    const std::size_t before = context_.problems.size();
    GraphReader reader(context_, depth_ + 1);
    std::optional<Graph> graph = reader.read(proto.g());
    if (!graph && context_.problems.size() == before) {
      throw Error(ErrorKind::kInvalidInput, "its subgraph '" + proto.name() + "' cannot be read");
    }
    if (graph) captured_by_[proto.name()] = reader.captured_;
    return std::make_shared<const Graph>(graph ? std::move(*graph) : Graph{});
  }

  /// What a subgraph reads and nobody in it makes comes from the graph around it: it becomes an input of its own.
  void capture_from_around(const onnx::GraphProto& proto) {
    std::vector<TensorId> wanted(reads_.begin(), reads_.end());
    for (const auto& value : proto.output()) wanted.push_back(builder_.tensor(value.name()));
    for (const TensorId id : wanted) {
      const std::string name = builder_.tensor_at(id).name;
      if (made_.contains(id) || constant_names_.contains(name) || builder_.is_given(id)) continue;
      append_input(builder_, name);
      captured_.push_back(name);
    }
  }

  static void append_input(GraphBuilder& builder, const std::string& name) {
    const TensorId id = builder.input(name, DType::kUndefined, {});
    builder.tensor_at(id).ranked = false;
  }

  /// Every subgraph of the node gets the same last inputs, and the node reads them.
  void give_captured(NodeId id) {
    std::vector<std::string> all;
    for (const auto& [key, names] : captured_by_) {
      for (const std::string& name : names) {
        if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
      }
    }
    for (const auto& [key, names] : captured_by_) {
      auto& graph = std::get<std::shared_ptr<const Graph>>(builder_.node_at(id).attributes.at(key));
      graph = std::make_shared<const Graph>(with_last_inputs(*graph, names.size(), all));
    }
    for (const std::string& name : all) {
      const TensorId read = builder_.tensor(name);
      builder_.node_at(id).inputs.push_back(read);
      reads_.insert(read);
    }
    builder_.node_at(id).captured = all.size();
  }

  /// The subgraph with `names` in place of its last `captured` inputs. A tensor of its own that has one of these names
  /// hides the tensor around it: it steps aside.
  static Graph with_last_inputs(const Graph& graph, std::size_t captured, const std::vector<std::string>& names) {
    GraphBuilder builder(graph);
    std::vector<TensorId> inputs(graph.inputs().begin(), graph.inputs().end() - static_cast<std::ptrdiff_t>(captured));
    const std::vector<TensorId> before(graph.inputs().end() - static_cast<std::ptrdiff_t>(captured),
                                       graph.inputs().end());
    builder.set_inputs(inputs);
    for (const std::string& name : names) {
      const auto known = graph.find(name);
      const bool is_captured = known && std::find(before.begin(), before.end(), *known) != before.end();
      const std::string own = known && !is_captured ? builder.free_name(name) : name;
      append_input(builder, own);
    }
    return builder.build();
  }

  void read_known_types(const onnx::GraphProto& proto) {
    for (const auto& value : proto.value_info()) take_type(value);
    for (const auto& value : proto.output()) take_type(value);
  }

  void take_type(const onnx::ValueInfoProto& value) {
    guarded("", [&] {
      const TensorInfo info = read_value_info(value);
      const auto id = builder_.find(info.name);
      if (!id || builder_.is_given(*id)) return;
      builder_.tensor_at(*id) = info;
    });
  }

  void read_outputs(const onnx::GraphProto& proto) {
    if (depth_ == 0 && proto.output_size() == 0) complain(ErrorKind::kInvalidInput, "", "the network has no output");
    std::set<std::string> seen;
    for (const auto& value : proto.output()) {
      if (!seen.insert(value.name()).second) {
        complain(ErrorKind::kInvalidInput, "output '" + value.name() + "'", "two outputs have this name");
      } else {
        builder_.output(builder_.tensor(value.name()));
      }
    }
  }

  Context& context_;
  int depth_;
  GraphBuilder builder_;
  std::set<std::string> constant_names_;
  std::vector<std::string> node_names_;
  std::set<TensorId> reads_;
  std::set<TensorId> made_;
  std::vector<std::string> captured_;  ///< tensors of the graph around, in the order of the last inputs
  std::map<std::string, std::vector<std::string>> captured_by_;  ///< by subgraph of the node at hand
  bool complete_ = true;  ///< every input and node could be read: building the graph makes sense
};

/// opset_import as a map; "" is ONNX's own domain.
std::map<std::string, int> read_domains(const onnx::ModelProto& model) {
  std::map<std::string, int> domains;
  for (const auto& entry : model.opset_import()) {
    if (entry.version() < 1 || entry.version() > std::numeric_limits<int>::max()) {
      throw Error(ErrorKind::kInvalidInput, "opset version " + std::to_string(entry.version()) + " makes no sense");
    }
    domains[own_domain(entry.domain())] = static_cast<int>(entry.version());
  }
  return domains;
}

void check_versions(const onnx::ModelProto& model, const std::map<std::string, int>& domains) {
  if (model.ir_version() < kOldestIrVersion) {
    throw Error(ErrorKind::kUnsupported, "IR version " + std::to_string(model.ir_version()) + " is older than 3",
                "Export the network again with a newer exporter.");
  }
  if (domains.empty()) throw Error(ErrorKind::kInvalidInput, "no opset is given");
  if (!domains.contains("")) {
    throw Error(ErrorKind::kUnsupported,
                "opset of domain '" + domains.begin()->first + "' only: operators that are not ONNX's own are unknown");
  }
}

std::shared_ptr<onnx::ModelProto> parse(std::string_view bytes, const LoadOptions& options) {
  if (bytes.empty()) throw Error(ErrorKind::kInvalidInput, "the file is empty");
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw Error(ErrorKind::kInvalidInput, "the file has 2 GB or more, which ONNX does not allow",
                "Save the network with its weights as external data.");
  }
  // Graph, node and attribute are one level each.
  const int levels = 3 * (options.max_depth + 2) + 16;
  auto model = std::make_shared<onnx::ModelProto>();
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(std::numeric_limits<int>::max());
  coded.SetRecursionLimit(levels);
  if (!model->ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage()) {
    throw Error(ErrorKind::kInvalidInput, "not a whole ONNX file (another format, truncated, or nested more than " +
                                              std::to_string(options.max_depth) + " deep)");
  }
  if (!model->has_graph()) throw Error(ErrorKind::kInvalidInput, "not an ONNX file: it has no graph");
  return model;
}

}  // namespace

std::optional<Graph> read_graph(const std::shared_ptr<onnx::ModelProto>& model, ExternalData& external,
                                const LoadOptions& options, const std::map<std::string, Tensor>& left_out,
                                std::vector<Finding>& problems) {
  GraphReader::Context context{model, external, options, left_out, problems, read_domains(*model)};
  check_versions(*model, context.domains);
  context.ir_version = static_cast<int>(std::min<std::int64_t>(model->ir_version(), std::numeric_limits<int>::max()));
  return GraphReader(context, 0).read(model->graph());
}

std::optional<Graph> read_onnx(std::string_view bytes, const std::filesystem::path& folder, const LoadOptions& options,
                               std::vector<Finding>& problems) {
  try {
    ExternalData external(folder);
    const std::shared_ptr<onnx::ModelProto> model = parse(bytes, options);
    inline_functions(*model, options.max_nodes);
    return read_graph(model, external, options, {}, problems);
  } catch (const Error& error) {
    problems.push_back({error.kind(), "", error.what(), error.hint()});
  } catch (const std::bad_alloc&) {
    problems.push_back({ErrorKind::kInvalidInput, "", "the network does not fit into memory", ""});
  }
  return std::nullopt;
}

}  // namespace cleave::graph
