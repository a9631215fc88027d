#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/tensor.h"
#include "graph/ids.h"

namespace cleave::graph {

class Graph;

using AttributeValue = std::variant<std::int64_t, float, std::string, Tensor, std::vector<std::int64_t>,
                                    std::vector<float>, std::vector<std::string>, std::shared_ptr<const Graph>>;

/// One operator call, as ONNX means it at the graph's opset (never below 13).
struct Node {
  std::string name;  ///< unique in the graph, never empty
  std::string op;
  std::string domain;             ///< "" is ONNX's own
  std::vector<TensorId> inputs;   ///< kNone where an optional input is left out
  std::vector<TensorId> outputs;  ///< kNone where an optional output is left out
  std::map<std::string, AttributeValue> attributes;
  /// How many of the last inputs are there for the subgraphs alone (If, Loop, Scan): tensors that ONNX lets them read
  /// from the graph around by name. Here they are plain data: each subgraph has as many last inputs, in this order.
  std::size_t captured = 0;

  /// Attribute with a fallback. Throws Error(kInvalidInput) when it is there with another type.
  std::int64_t integer(const std::string& key, std::int64_t fallback) const;
  float number(const std::string& key, float fallback) const;
  std::string text(const std::string& key, const std::string& fallback) const;
  std::vector<std::int64_t> integers(const std::string& key, std::vector<std::int64_t> fallback = {}) const;
  bool has(const std::string& key) const { return attributes.contains(key); }
  /// The subgraph of that name. Throws Error(kInvalidInput) when it is missing or something else.
  const Graph& subgraph(const std::string& key) const;
  bool has_subgraph() const;
  /// inputs[i], or kNone when there are fewer.
  TensorId input(std::size_t i) const { return i < inputs.size() ? inputs[i] : TensorId::kNone; }
};

struct TensorInfo {
  std::string name;
  DType dtype = DType::kUndefined;
  bool ranked = false;                       ///< false: not even the rank is known (never after prepare)
  Shape shape;                               ///< -1 where a dimension is unknown (never after prepare)
  std::vector<std::string> dimension_names;  ///< empty, or one per dimension ("" where it has none): symbolic sizes
};

/// A fused group of nodes that runs on one side as a whole: the search's atom. Convolution, matrix product or
/// addition with the activation that follows it, or any other node alone.
struct Unit {
  std::string name;  ///< its main node's name
  std::string op;    ///< its main node's operator
  NodeId main{};
  std::vector<NodeId> nodes;          ///< topological order
  std::vector<TensorId> inputs;       ///< tensors from outside, constants left out, each once, in order of use
  std::vector<TensorId> outputs;      ///< tensors that another unit consumes or that are graph outputs, in node order
  TensorId weight = TensorId::kNone;  ///< the constant weight of Conv/ConvTranspose/Gemm/MatMul, else kNone
  int weight_axis = 0;                ///< its output-channel axis
  std::int64_t macs = 0;              ///< multiply-accumulates of the main node, batch included
  std::int64_t weight_elements = 0;   ///< of `weight`; bias excluded
};

/// A network as data: nodes in topological order, tensors, constants, interface. Immutable; made by GraphBuilder.
///
/// Every tensor is produced by one node, or is a graph input, or is a constant. Names are unique.
class Graph {
 public:
  std::span<const Node> nodes() const { return nodes_; }
  const Node& node(NodeId id) const { return nodes_[index(id)]; }
  std::size_t tensor_count() const { return tensors_.size(); }
  const TensorInfo& tensor(TensorId id) const { return tensors_[index(id)]; }
  std::optional<TensorId> find(std::string_view tensor_name) const;

  std::span<const TensorId> inputs() const { return inputs_; }
  std::span<const TensorId> outputs() const { return outputs_; }
  /// The value of a constant (initializer), or nullptr.
  const Tensor* constant(TensorId id) const;
  /// The node that makes it; empty for inputs and constants.
  std::optional<NodeId> producer(TensorId id) const;
  /// Nodes that read it, ascending, each once.
  std::span<const NodeId> consumers(TensorId id) const { return consumers_[index(id)]; }
  bool is_output(TensorId id) const;
  bool is_input(TensorId id) const;

  /// Units in schedule order (a topological order), and the unit that a node belongs to.
  std::span<const Unit> units() const { return units_; }
  const Unit& unit(UnitId id) const { return units_[index(id)]; }
  UnitId unit_of(NodeId id) const { return unit_of_[index(id)]; }

  int opset() const { return opset_; }
  int ir_version() const { return ir_version_; }
  const std::string& name() const { return name_; }
  const std::map<std::string, int>& extra_domains() const { return extra_domains_; }  ///< domain -> opset
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  /// True when every tensor's type and shape are known.
  bool fully_shaped() const;
  /// SHA-256 over ops, attributes, wiring, shapes and weights; independent of node names.
  std::string fingerprint() const;

 private:
  friend class GraphBuilder;
  std::vector<Node> nodes_;
  std::vector<TensorInfo> tensors_;
  std::unordered_map<std::string, TensorId> by_name_;
  std::map<TensorId, Tensor> constants_;
  std::vector<TensorId> inputs_;
  std::vector<TensorId> outputs_;
  std::vector<std::optional<NodeId>> producers_;
  std::vector<std::vector<NodeId>> consumers_;
  std::vector<Unit> units_;
  std::vector<UnitId> unit_of_;
  std::map<std::string, int> extra_domains_;
  std::map<std::string, std::string> metadata_;
  std::string name_ = "network";
  int opset_ = 13;
  int ir_version_ = 7;
};

}  // namespace cleave::graph
