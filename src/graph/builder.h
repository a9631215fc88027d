#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace cleave::graph {

/// Makes a Graph: from nothing, or as an edited copy of another. Ids given out stay valid until build().
///
///     GraphBuilder b;
///     const TensorId x = b.input("x", DType::kFloat32, {1, 3, 8, 8});
///     const TensorId w = b.constant("w", weights);
///     const TensorId y = b.node("Conv", {x, w}, {"y"}, {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}})[0];
///     b.output(y);
///     const Graph graph = b.build();
class GraphBuilder {
 public:
  GraphBuilder() = default;
  /// Starts from a copy; tensor ids of `graph` keep their meaning here, node ids too until a node is removed.
  explicit GraphBuilder(const Graph& graph);

  TensorId input(const std::string& name, DType dtype, Shape shape, std::vector<std::string> dimension_names = {});
  TensorId constant(const std::string& name, Tensor value);
  /// The tensor of that name, made (with unknown type and shape) when there is none.
  TensorId tensor(const std::string& name);
  /// The tensor of that name, if there is one.
  std::optional<TensorId> find(const std::string& name) const;
  /// True for a network input or a constant: nothing needs to make it.
  bool is_given(TensorId id) const { return graph_.is_input(id) || graph_.constants_.contains(id); }
  /// A tensor name not in use yet: `wish`, or `wish` with a number behind.
  std::string free_name(const std::string& wish) const;
  /// Appends a node; outputs are made or found by name ("" = left out). The node is named after its first output
  /// unless `name` is given. Returns the output ids.
  std::vector<TensorId> node(const std::string& op, std::vector<TensorId> inputs,
                             const std::vector<std::string>& outputs,
                             std::map<std::string, AttributeValue> attributes = {}, const std::string& name = {},
                             const std::string& domain = {});
  void output(TensorId id);

  // Editing.
  std::size_t node_count() const { return graph_.nodes_.size(); }
  Node& node_at(NodeId id) { return graph_.nodes_[index(id)]; }
  TensorInfo& tensor_at(TensorId id) { return graph_.tensors_[index(id)]; }
  void set_shape(TensorId id, DType dtype, Shape shape);
  void set_constant(TensorId id, Tensor value);
  void remove_node(NodeId id);                    ///< takes effect in build()
  void replace_uses(TensorId from, TensorId to);  ///< in node inputs only, not among graph outputs
  void set_inputs(std::vector<TensorId> inputs) { graph_.inputs_ = std::move(inputs); }
  void set_outputs(std::vector<TensorId> outputs) { graph_.outputs_ = std::move(outputs); }
  void set_name(const std::string& name) { graph_.name_ = name; }
  void set_versions(int opset, int ir_version);
  void set_extra_domain(const std::string& domain, int version) { graph_.extra_domains_[domain] = version; }
  void set_metadata(const std::string& key, const std::string& value) { graph_.metadata_[key] = value; }

  /// Drops removed nodes and tensors that nothing mentions, sorts nodes topologically (stable), fills derived data,
  /// groups units and validates. Ids are compacted: look tensors up by name afterwards. Element types and shapes of
  /// Q/DQ, Clip, Relu and other shape-keeping outputs are NOT guessed: set_shape them if they must be known.
  /// Throws Error(kInvalidInput) for cycles, a tensor made twice, an input that nothing makes, duplicate node names.
  Graph build();

 private:
  std::vector<Node> kept_nodes() const;
  static void drop_unmentioned(Graph& graph);  ///< tensors that nothing mentions; ids are compacted
  static void index_names(Graph& graph);
  static void sort_nodes(Graph& graph);  ///< topologically, after checking that everything is made once
  static void link(Graph& graph);        ///< producers, consumers, units

  Graph graph_;
  std::vector<bool> removed_;
};

/// The graph between `inputs` and `outputs` (tensor names): nodes needed for the outputs, stopping at the inputs.
/// Constants come along. Node and tensor names, opset and metadata stay. Throws Error(kInvalidInput) when an output
/// also needs a graph input that is not among `inputs`.
Graph extract(const Graph& graph, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs);

}  // namespace cleave::graph
