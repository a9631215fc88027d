#include "bundle/halves.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

#include "bundle/packing_nodes.h"
#include "graph/builder.h"

namespace cleave::bundle {

using graph::Graph;
using graph::GraphBuilder;
using graph::Node;
using graph::NodeId;
using graph::TensorId;
using graph::TensorInfo;

namespace {

std::vector<std::string> names_of(const Graph& graph, std::span<const TensorId> ids) {
  std::vector<std::string> names;
  for (const TensorId id : ids) names.push_back(graph.tensor(id).name);
  return names;
}

std::vector<std::string> crossing_names(const Interface& interface) {
  std::vector<std::string> names;
  for (const WireTensor& wire : interface.wire) names.push_back(wire.tensor);
  return names;
}

void append_missing(std::vector<std::string>& names, const std::vector<std::string>& more) {
  for (const std::string& name : more) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
}

/// Operators that may hand their first input on unchanged; graph::prepare removes those that do.
constexpr std::array<std::string_view, 12> kMayHandOn{"Identity", "Dropout", "Cast",      "Reshape",
                                                      "Flatten",  "Squeeze", "Unsqueeze", "Transpose",
                                                      "Expand",   "Slice",   "Pad",       "Concat"};

/// Makes the cloud side of a model depend on the crossing tensors only.
class Closure {
 public:
  Closure(const Graph& model, const Graph& prepared, const Interface& interface)
      : model_(model), prepared_(prepared), interface_(interface) {}

  /// The rewritten model; empty when it cannot be cut there.
  std::optional<FloatNetwork> run() {
    if (!find_crossing()) return std::nullopt;
    find_aliases();
    mark_outside();
    if (!collect()) return std::nullopt;
    if (folded_.empty() && used_aliases_.empty()) return FloatNetwork{model_, true};
    return FloatNetwork{rewrite(), folded_.empty()};
  }

 private:
  bool find_crossing() {
    for (const WireTensor& wire : interface_.wire) {
      const auto id = model_.find(wire.tensor);
      if (!id) return false;
      crossing_.insert(*id);
    }
    for (const auto* results : {&interface_.edge_results, &interface_.cloud_results}) {
      for (const std::string& name : *results) {
        if (!model_.find(name)) return false;
      }
    }
    return true;
  }

  /// Tensors that equal a crossing tensor because it is a copy of them: the prepared network has removed the node in
  /// between and given the copy's name, a network output's, to the source.
  void find_aliases() {
    for (const TensorId id : crossing_) {
      auto maker = model_.producer(id);
      while (maker && is_removed_copy(model_.node(*maker))) {
        copies_.insert(*maker);
        const TensorId source = model_.node(*maker).inputs[0];
        alias_.emplace(source, id);
        maker = model_.producer(source);
      }
    }
  }

  bool is_removed_copy(const Node& node) const {
    const bool may = std::find(kMayHandOn.begin(), kMayHandOn.end(), node.op) != kMayHandOn.end();
    return may && node.domain.empty() && node.input(0) != TensorId::kNone &&
           !prepared_.find(model_.tensor(node.inputs[0]).name);
  }

  bool is_given(TensorId id) const {
    return id == TensorId::kNone || crossing_.contains(id) || alias_.contains(id) || model_.constant(id) != nullptr;
  }

  /// Tensors that cannot be computed from the crossing tensors alone.
  void mark_outside() {
    outside_.assign(model_.tensor_count(), false);
    for (const TensorId id : model_.inputs()) outside_[index(id)] = !is_given(id);
    for (const Node& node : model_.nodes()) {
      const bool outside = std::any_of(node.inputs.begin(), node.inputs.end(),
                                       [this](TensorId t) { return !is_given(t) && outside_[index(t)]; });
      for (const TensorId id : node.outputs) {
        if (id != TensorId::kNone && !is_given(id)) outside_[index(id)] = outside;
      }
    }
  }

  /// Walks back from the results; false when a network input is reached.
  bool collect() {
    std::vector<TensorId> open;
    for (const std::string& name : interface_.cloud_results) open.push_back(*model_.find(name));
    std::set<TensorId> seen;
    while (!open.empty()) {
      const TensorId id = open.back();
      open.pop_back();
      if (id == TensorId::kNone || !seen.insert(id).second) continue;
      if (alias_.contains(id)) used_aliases_.insert(id);
      if (is_given(id)) continue;
      if (outside_[index(id)] && fold(id)) continue;
      const auto producer = model_.producer(id);
      if (!producer) return false;
      const Node& node = model_.node(*producer);
      open.insert(open.end(), node.inputs.begin(), node.inputs.end());
    }
    return true;
  }

  bool fold(TensorId id) {
    const auto known = prepared_.find(model_.tensor(id).name);
    const Tensor* value = known ? prepared_.constant(*known) : nullptr;
    if (value != nullptr) folded_[id] = *value;
    return value != nullptr;
  }

  Graph rewrite() const {
    GraphBuilder builder(model_);
    for (const auto& [id, value] : folded_) {
      const std::string name = builder.free_name(model_.tensor(id).name + "::folded");
      builder.replace_uses(id, builder.constant(name, value));
    }
    for (const TensorId id : used_aliases_) {
      for (const NodeId reader : model_.consumers(id)) {
        if (copies_.contains(reader)) continue;
        auto& inputs = builder.node_at(reader).inputs;
        std::replace(inputs.begin(), inputs.end(), id, alias_.at(id));
      }
    }
    return builder.build();
  }

  const Graph& model_;
  const Graph& prepared_;
  const Interface& interface_;
  std::set<TensorId> crossing_;
  std::map<TensorId, TensorId> alias_;
  std::set<NodeId> copies_;
  std::vector<bool> outside_;
  std::map<TensorId, Tensor> folded_;
  std::set<TensorId> used_aliases_;
};

void forget_shape(TensorInfo& info) {
  info.ranked = false;
  info.shape.clear();
  info.dimension_names.clear();
}

/// Gives every tensor the shape that it has in the prepared network; what is not known there and symbolic in the file
/// is left open.
Graph with_fixed_shapes(const Graph& graph, const Graph& prepared) {
  GraphBuilder builder(graph);
  for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
    const auto id = static_cast<TensorId>(i);
    const TensorInfo& info = graph.tensor(id);
    if (graph.constant(id) != nullptr) continue;
    if (const auto known = prepared.find(info.name)) {
      builder.set_shape(id, prepared.tensor(*known).dtype, prepared.tensor(*known).shape);
      builder.tensor_at(id).dimension_names.clear();
    } else if (std::any_of(info.shape.begin(), info.shape.end(), [](std::int64_t d) { return d < 0; })) {
      forget_shape(builder.tensor_at(id));
    }
  }
  return builder.build();
}

std::string batch_name(const Graph& graph) {
  for (const TensorId id : graph.inputs()) {
    const auto& names = graph.tensor(id).dimension_names;
    if (!names.empty() && !names[0].empty()) return names[0];
  }
  return "batch";
}

/// Turns the graph inputs, which are the crossing tensors, into wire ports with the prologue behind them.
class Prologue {
 public:
  Prologue(const Graph& graph, bool batchable, std::string batch)
      : builder_(graph), batchable_(batchable), batch_(std::move(batch)) {}

  Graph run(const std::vector<WireTensor>& wire) {
    std::vector<TensorId> ports;
    for (const WireTensor& tensor : wire) {
      ports.push_back(tensor.quantizer.bits.quantized() ? packed_port(tensor) : float_port(tensor));
    }
    builder_.set_inputs(ports);
    return builder_.build();
  }

 private:
  void set_batch_shape(TensorId id, DType dtype, Shape shape) {
    std::vector<std::string> names;
    if (batchable_) {
      shape[0] = -1;
      names.assign(shape.size(), "");
      names[0] = batch_;
    }
    builder_.set_shape(id, dtype, std::move(shape));
    builder_.tensor_at(id).dimension_names = std::move(names);
  }

  TensorId float_port(const WireTensor& tensor) {
    const TensorId id = builder_.tensor(tensor.tensor);
    set_batch_shape(id, builder_.tensor_at(id).dtype, tensor.shape);
    return id;
  }

  TensorId packed_port(const WireTensor& tensor) {
    const TensorId port = builder_.tensor(tensor.port);
    set_batch_shape(port, DType::kUint8, {1, tensor.bytes});
    builder_.tensor_at(builder_.tensor(tensor.tensor)).dimension_names.clear();
    add_unpacking(builder_, port, tensor.quantizer, {tensor.tensor, tensor.shape, batchable_});
    return port;
  }

  GraphBuilder builder_;
  bool batchable_;
  std::string batch_;
};

}  // namespace

FloatNetwork float_network(const Graph& model, const Graph& prepared, const Interface& interface) {
  auto closed = Closure(model, prepared, interface).run();
  return closed ? std::move(*closed) : FloatNetwork{prepared, false};
}

Graph quantized_edge(const Graph& prepared, const exec::QuantizationSpec& spec, const Interface& interface) {
  GraphBuilder builder(exec::fake_quantize(prepared, spec));
  std::vector<std::string> outputs;
  for (const WireTensor& wire : interface.wire) {
    if (wire.quantizer.bits.quantized()) {
      const TensorId codes = builder.tensor(exec::wire_codes_name(wire.tensor));
      add_packing(builder, codes, wire.quantizer.bits, wire.port);
    }
    outputs.push_back(wire.port);
  }
  append_missing(outputs, interface.edge_results);
  return graph::extract(builder.build(), names_of(prepared, prepared.inputs()), outputs);
}

Graph float_edge(const FloatNetwork& network, const Graph& prepared, const Interface& interface) {
  std::vector<std::string> outputs = crossing_names(interface);
  append_missing(outputs, interface.edge_results);
  const Graph half = graph::extract(network.graph, names_of(prepared, prepared.inputs()), outputs);
  return with_fixed_shapes(half, prepared);
}

Graph cloud_half(const FloatNetwork& network, const Graph& prepared, const Interface& interface, bool batchable) {
  const Graph half = graph::extract(network.graph, crossing_names(interface), interface.cloud_results);
  const Graph shaped = batchable ? half : with_fixed_shapes(half, prepared);
  return Prologue(shaped, batchable, batch_name(network.graph)).run(interface.wire);
}

}  // namespace cleave::bundle
