#include "graph/onnx_functions.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "core/error.h"

namespace cleave::graph {

namespace {

using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;
using Key = std::pair<std::string, std::string>;  // domain, name

std::string own_domain(const std::string& domain) {
  return domain == "ai.onnx" ? "" : domain;
}

std::string label(const onnx::NodeProto& call) {
  return "node '" + (call.name().empty() && call.output_size() > 0 ? call.output(0) : call.name()) + "' (" +
         call.op_type() + ")";
}

class Inliner {
 public:
  Inliner(const onnx::ModelProto& model, std::int64_t max_nodes) : nodes_left_(max_nodes) {
    for (const auto& entry : model.opset_import()) opsets_[own_domain(entry.domain())] = entry.version();
    for (const auto& function : model.functions()) {
      check_opsets(function);
      functions_[{own_domain(function.domain()), function.name()}] = &function;
    }
  }

  /// The nodes with every call replaced, in order.
  Nodes expand(const Nodes& nodes) {
    Nodes result;
    for (const auto& node : nodes) {
      const auto found = functions_.find({own_domain(node.domain()), node.op_type()});
      if (found == functions_.end()) {
        add(node, result);
      } else {
        expand_call(node, *found->second, result);
      }
    }
    return result;
  }

 private:
  void check_opsets(const onnx::FunctionProto& function) const {
    for (const auto& entry : function.opset_import()) {
      const auto known = opsets_.find(own_domain(entry.domain()));
      if (known == opsets_.end() || known->second == entry.version()) continue;
      throw Error(ErrorKind::kUnsupported,
                  "function '" + function.name() + "' is written for opset " + std::to_string(entry.version()) +
                      ", the network for " + std::to_string(known->second),
                  "Export the network with its functions inlined.");
    }
  }

  void add(const onnx::NodeProto& node, Nodes& result) {
    if (--nodes_left_ < 0) throw Error(ErrorKind::kInvalidInput, "the functions of the network become too many nodes");
    onnx::NodeProto& copy = *result.Add();
    copy = node;
    for (auto& attribute : *copy.mutable_attribute()) {
      if (attribute.has_g()) *attribute.mutable_g()->mutable_node() = expand(attribute.g().node());
    }
  }

  void expand_call(const onnx::NodeProto& call, const onnx::FunctionProto& function, Nodes& result) {
    const Key key{own_domain(function.domain()), function.name()};
    if (!open_.insert(key).second) {
      throw Error(ErrorKind::kUnsupported, label(call) + ": function '" + function.name() + "' calls itself");
    }
    result.MergeFrom(expand(body_of(call, function)));
    open_.erase(key);
  }

  /// The function's nodes with the call's tensors, attributes and names.
  static Nodes body_of(const onnx::NodeProto& call, const onnx::FunctionProto& function) {
    if (call.input_size() > function.input_size() || call.output_size() > function.output_size()) {
      throw Error(ErrorKind::kInvalidInput, label(call) + ": it has more inputs or outputs than its function");
    }
    std::map<std::string, std::string> names{{"", ""}};
    for (int i = 0; i < function.input_size(); ++i) {
      names[function.input(i)] = i < call.input_size() ? call.input(i) : "";
    }
    Nodes body = function.node();
    const std::string prefix = (call.name().empty() ? call.output(0) : call.name()) + "/";
    std::map<std::string, std::string> handed_on;  // results that are inputs of the function
    for (int i = 0; i < call.output_size(); ++i) {
      if (call.output(i).empty()) continue;
      const auto given = names.find(function.output(i));
      if (given != names.end()) {
        handed_on[call.output(i)] = given->second;
      } else {
        names[function.output(i)] = call.output(i);
      }
    }
    for (auto& node : body) adapt(node, call, prefix, names);
    for (const auto& [output, input] : handed_on) add_identity(input, output, prefix, body);
    return body;
  }

  static void add_identity(const std::string& input, const std::string& output, const std::string& prefix,
                           Nodes& body) {
    onnx::NodeProto& node = *body.Add();
    node.set_op_type("Identity");
    node.set_name(prefix + output);
    node.add_input(input);
    node.add_output(output);
  }

  static void rename(std::string& name, const std::string& prefix, std::map<std::string, std::string>& names) {
    name = names.try_emplace(name, prefix + name).first->second;
  }

  static void adapt(onnx::NodeProto& node, const onnx::NodeProto& call, const std::string& prefix,
                    std::map<std::string, std::string>& names) {
    if (!node.name().empty()) node.set_name(prefix + node.name());
    for (std::string& name : *node.mutable_input()) rename(name, prefix, names);
    for (std::string& name : *node.mutable_output()) rename(name, prefix, names);
    resolve_attributes(node, call);
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.has_g()) adapt_graph(*attribute.mutable_g(), call, prefix, names);
    }
  }

  static void adapt_graph(onnx::GraphProto& graph, const onnx::NodeProto& call, const std::string& prefix,
                          std::map<std::string, std::string> names) {
    for (auto& value : *graph.mutable_input()) own_name(*value.mutable_name(), prefix, names);
    for (auto& value : *graph.mutable_initializer()) own_name(*value.mutable_name(), prefix, names);
    for (auto& node : *graph.mutable_node()) adapt(node, call, prefix, names);
    for (auto& value : *graph.mutable_output()) rename(*value.mutable_name(), prefix, names);
    graph.clear_value_info();
  }

  /// A name that the subgraph defines hides one of the function.
  static void own_name(std::string& name, const std::string& prefix, std::map<std::string, std::string>& names) {
    names[name] = prefix + name;
    name = names[name];
  }

  /// Attributes that refer to the call's take its values; they go where the call leaves them out.
  static void resolve_attributes(onnx::NodeProto& node, const onnx::NodeProto& call) {
    google::protobuf::RepeatedPtrField<onnx::AttributeProto> resolved;
    for (const auto& attribute : node.attribute()) {
      if (attribute.ref_attr_name().empty()) {
        *resolved.Add() = attribute;
        continue;
      }
      const auto given = std::find_if(call.attribute().begin(), call.attribute().end(), [&](const auto& candidate) {
        return candidate.name() == attribute.ref_attr_name();
      });
      if (given == call.attribute().end()) continue;
      onnx::AttributeProto& value = *resolved.Add();
      value = *given;
      value.set_name(attribute.name());
    }
    node.mutable_attribute()->Swap(&resolved);
  }

  std::map<std::string, std::int64_t> opsets_;
  std::map<Key, const onnx::FunctionProto*> functions_;
  std::set<Key> open_;
  std::int64_t nodes_left_;
};

}  // namespace

void inline_functions(onnx::ModelProto& model, std::int64_t max_nodes) {
  if (model.functions_size() == 0) return;
  Inliner inliner(model, max_nodes);
  *model.mutable_graph()->mutable_node() = inliner.expand(model.graph().node());
  model.clear_functions();
}

}  // namespace cleave::graph
