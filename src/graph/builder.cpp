#include "graph/builder.h"

#include <algorithm>
#include <queue>
#include <set>

#include "core/check.h"
#include "core/error.h"
#include "graph/units.h"

namespace cleave::graph {

namespace {

Error invalid(const std::string& what) {
  return Error(ErrorKind::kInvalidInput, what);
}

constexpr std::size_t kNobody = static_cast<std::size_t>(-1);

/// Which node makes each tensor; throws when two do, or when a node makes an input or a constant.
std::vector<std::size_t> find_producers(const std::vector<Node>& nodes, const std::vector<TensorInfo>& tensors,
                                        const std::vector<bool>& given) {
  std::vector<std::size_t> producer(tensors.size(), kNobody);
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    for (const TensorId id : nodes[n].outputs) {
      if (id == TensorId::kNone) continue;
      if (producer[index(id)] != kNobody || given[index(id)]) {
        throw invalid("tensor '" + tensors[index(id)].name + "' is made twice (again by node '" + nodes[n].name + "')");
      }
      producer[index(id)] = n;
    }
  }
  return producer;
}

/// Positions of nodes in a stable topological order: always the earliest node that is ready.
class TopologicalOrder {
 public:
  TopologicalOrder(const std::vector<Node>& nodes, const std::vector<std::size_t>& producer)
      : nodes_(nodes), waiting_(nodes.size(), 0), followers_(nodes.size()) {
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      for (const TensorId id : nodes[n].inputs) {
        if (id == TensorId::kNone || producer[index(id)] == kNobody) continue;
        followers_[producer[index(id)]].push_back(n);
        ++waiting_[n];
      }
    }
  }

  std::vector<std::size_t> order() {
    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      if (waiting_[n] == 0) ready.push(n);
    }
    std::vector<std::size_t> order;
    while (!ready.empty()) {
      const std::size_t n = ready.top();
      ready.pop();
      order.push_back(n);
      for (const std::size_t follower : followers_[n]) {
        if (--waiting_[follower] == 0) ready.push(follower);
      }
    }
    if (order.size() < nodes_.size()) throw invalid(cycle_message());
    return order;
  }

 private:
  std::string cycle_message() const {
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      if (waiting_[n] > 0) return "the graph has a cycle through node '" + nodes_[n].name + "'";
    }
    return "the graph has a cycle";
  }

  const std::vector<Node>& nodes_;
  std::vector<std::size_t> waiting_;
  std::vector<std::vector<std::size_t>> followers_;
};

void require_unique_names(const std::vector<Node>& nodes) {
  std::set<std::string> seen;
  for (const Node& node : nodes) {
    if (!seen.insert(node.name).second) throw invalid("two nodes are called '" + node.name + "'");
  }
}

}  // namespace

GraphBuilder::GraphBuilder(const Graph& graph) : graph_(graph), removed_(graph.nodes_.size(), false) {}

TensorId GraphBuilder::tensor(const std::string& name) {
  const auto [entry, is_new] = graph_.by_name_.try_emplace(name, static_cast<TensorId>(graph_.tensors_.size()));
  if (is_new) {
    TensorInfo info;
    info.name = name;
    graph_.tensors_.push_back(std::move(info));
  }
  return entry->second;
}

std::optional<TensorId> GraphBuilder::find(const std::string& name) const {
  return graph_.find(name);
}

std::string GraphBuilder::free_name(const std::string& wish) const {
  std::string name = wish;
  for (int i = 1; graph_.by_name_.contains(name); ++i) name = wish + "_" + std::to_string(i);
  return name;
}

void GraphBuilder::set_shape(TensorId id, DType dtype, Shape shape) {
  TensorInfo& info = tensor_at(id);
  info.dtype = dtype;
  info.ranked = true;
  info.shape = std::move(shape);
}

TensorId GraphBuilder::input(const std::string& name, DType dtype, Shape shape,
                             std::vector<std::string> dimension_names) {
  const TensorId id = tensor(name);
  if (graph_.is_input(id)) throw invalid("two inputs are called '" + name + "'");
  set_shape(id, dtype, std::move(shape));
  tensor_at(id).dimension_names = std::move(dimension_names);
  graph_.inputs_.push_back(id);
  return id;
}

TensorId GraphBuilder::constant(const std::string& name, Tensor value) {
  const TensorId id = tensor(name);
  if (graph_.constants_.contains(id)) throw invalid("two constants are called '" + name + "'");
  set_constant(id, std::move(value));
  return id;
}

void GraphBuilder::set_constant(TensorId id, Tensor value) {
  set_shape(id, value.dtype(), value.shape());
  graph_.constants_[id] = std::move(value);
}

std::vector<TensorId> GraphBuilder::node(const std::string& op, std::vector<TensorId> inputs,
                                         const std::vector<std::string>& outputs,
                                         std::map<std::string, AttributeValue> attributes, const std::string& name,
                                         const std::string& domain) {
  CLEAVE_CHECK(!outputs.empty(), "a node makes at least one tensor");
  Node node;
  node.name = name.empty() ? outputs.front() : name;
  node.op = op;
  node.domain = domain;
  node.inputs = std::move(inputs);
  for (const std::string& output : outputs) {
    node.outputs.push_back(output.empty() ? TensorId::kNone : tensor(output));
  }
  node.attributes = std::move(attributes);
  graph_.nodes_.push_back(node);
  removed_.push_back(false);
  return node.outputs;
}

void GraphBuilder::output(TensorId id) {
  graph_.outputs_.push_back(id);
}

void GraphBuilder::remove_node(NodeId id) {
  removed_[index(id)] = true;
}

void GraphBuilder::replace_uses(TensorId from, TensorId to) {
  for (Node& node : graph_.nodes_) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
}

void GraphBuilder::set_versions(int opset, int ir_version) {
  graph_.opset_ = opset;
  graph_.ir_version_ = ir_version;
}

namespace {

/// Renumbers tensors so that only mentioned ones stay.
class Compaction {
 public:
  explicit Compaction(std::size_t tensors) : mentioned_(tensors, false), to_(tensors, TensorId::kNone) {}
  void keep(TensorId id) {
    if (id != TensorId::kNone) mentioned_[index(id)] = true;
  }
  void number(std::vector<TensorInfo>& tensors) {
    std::vector<TensorInfo> kept;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      if (!mentioned_[i]) continue;
      to_[i] = static_cast<TensorId>(kept.size());
      kept.push_back(std::move(tensors[i]));
    }
    tensors = std::move(kept);
  }
  TensorId operator()(TensorId id) const { return id == TensorId::kNone ? id : to_[index(id)]; }
  void rename(std::vector<TensorId>& ids) const {
    for (TensorId& id : ids) id = (*this)(id);
  }

 private:
  std::vector<bool> mentioned_;
  std::vector<TensorId> to_;
};

}  // namespace

std::vector<Node> GraphBuilder::kept_nodes() const {
  std::vector<Node> nodes;
  for (std::size_t n = 0; n < graph_.nodes_.size(); ++n) {
    if (!removed_[n]) nodes.push_back(graph_.nodes_[n]);
  }
  return nodes;
}

void GraphBuilder::drop_unmentioned(Graph& graph) {
  Compaction compact(graph.tensors_.size());
  for (const Node& node : graph.nodes_) {
    for (const TensorId id : node.inputs) compact.keep(id);
    for (const TensorId id : node.outputs) compact.keep(id);
  }
  for (const TensorId id : graph.inputs_) compact.keep(id);
  for (const TensorId id : graph.outputs_) compact.keep(id);
  compact.number(graph.tensors_);
  for (Node& node : graph.nodes_) {
    compact.rename(node.inputs);
    compact.rename(node.outputs);
  }
  compact.rename(graph.inputs_);
  compact.rename(graph.outputs_);
  std::map<TensorId, Tensor> constants;
  for (auto& [id, value] : graph.constants_) {
    if (compact(id) != TensorId::kNone) constants[compact(id)] = std::move(value);
  }
  graph.constants_ = std::move(constants);
}

void GraphBuilder::index_names(Graph& graph) {
  graph.by_name_.clear();
  for (std::size_t i = 0; i < graph.tensors_.size(); ++i) {
    if (!graph.by_name_.emplace(graph.tensors_[i].name, static_cast<TensorId>(i)).second) {
      throw invalid("two tensors are called '" + graph.tensors_[i].name + "'");
    }
  }
}

void GraphBuilder::sort_nodes(Graph& graph) {
  std::vector<bool> given(graph.tensors_.size(), false);
  for (const TensorId id : graph.inputs_) given[index(id)] = true;
  for (const auto& [id, value] : graph.constants_) given[index(id)] = true;
  const std::vector<std::size_t> producer = find_producers(graph.nodes_, graph.tensors_, given);
  const auto is_made = [&](TensorId id) { return given[index(id)] || producer[index(id)] != kNobody; };
  for (const Node& node : graph.nodes_) {
    for (const TensorId id : node.inputs) {
      if (id == TensorId::kNone || is_made(id)) continue;
      throw invalid("node '" + node.name + "' reads tensor '" + graph.tensors_[index(id)].name +
                    "', which nothing makes");
    }
  }
  for (const TensorId id : graph.outputs_) {
    if (!is_made(id)) throw invalid("nothing makes the network output '" + graph.tensors_[index(id)].name + "'");
  }
  std::vector<Node> sorted;
  for (const std::size_t n : TopologicalOrder(graph.nodes_, producer).order()) {
    sorted.push_back(std::move(graph.nodes_[n]));
  }
  graph.nodes_ = std::move(sorted);
}

void GraphBuilder::link(Graph& graph) {
  graph.producers_.assign(graph.tensors_.size(), std::nullopt);
  graph.consumers_.assign(graph.tensors_.size(), {});
  for (std::size_t n = 0; n < graph.nodes_.size(); ++n) {
    const auto id = static_cast<NodeId>(n);
    for (const TensorId output : graph.nodes_[n].outputs) {
      if (output != TensorId::kNone) graph.producers_[index(output)] = id;
    }
    for (const TensorId input : graph.nodes_[n].inputs) {
      if (input == TensorId::kNone) continue;
      auto& readers = graph.consumers_[index(input)];
      if (readers.empty() || readers.back() != id) readers.push_back(id);
    }
  }
  graph.units_ = group_units(graph);
  graph.unit_of_.assign(graph.nodes_.size(), UnitId{});
  for (std::size_t u = 0; u < graph.units_.size(); ++u) {
    for (const NodeId id : graph.units_[u].nodes) graph.unit_of_[index(id)] = static_cast<UnitId>(u);
  }
}

Graph GraphBuilder::build() {
  Graph graph = graph_;
  graph.nodes_ = kept_nodes();
  require_unique_names(graph.nodes_);
  drop_unmentioned(graph);
  index_names(graph);
  sort_nodes(graph);
  link(graph);
  return graph;
}

Graph extract(const Graph& graph, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
  const auto id_of = [&graph](const std::string& name) {
    const auto id = graph.find(name);
    if (!id) throw invalid("there is no tensor '" + name + "'");
    return *id;
  };
  std::vector<TensorId> input_ids;
  std::vector<TensorId> output_ids;
  for (const std::string& name : inputs) input_ids.push_back(id_of(name));
  for (const std::string& name : outputs) output_ids.push_back(id_of(name));

  std::vector<bool> wanted_node(graph.nodes().size(), false);
  std::set<TensorId> seen(input_ids.begin(), input_ids.end());
  std::vector<TensorId> open(output_ids.begin(), output_ids.end());
  while (!open.empty()) {
    const TensorId id = open.back();
    open.pop_back();
    if (id == TensorId::kNone || !seen.insert(id).second || graph.constant(id) != nullptr) continue;
    const auto producer = graph.producer(id);
    if (!producer) {
      throw invalid("the part needs the network input '" + graph.tensor(id).name + "', which it is not given");
    }
    wanted_node[index(*producer)] = true;
    const Node& node = graph.node(*producer);
    open.insert(open.end(), node.inputs.begin(), node.inputs.end());
  }

  GraphBuilder builder(graph);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    if (!wanted_node[n]) builder.remove_node(static_cast<NodeId>(n));
  }
  // A wanted node may also make a tensor that is given from outside: that output is left out or renamed.
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    if (!wanted_node[n]) continue;
    for (TensorId& output : builder.node_at(static_cast<NodeId>(n)).outputs) {
      if (std::find(input_ids.begin(), input_ids.end(), output) == input_ids.end()) continue;
      output = builder.tensor(builder.free_name(graph.tensor(output).name + "_unused"));
    }
  }
  builder.set_inputs(input_ids);
  builder.set_outputs(output_ids);
  return builder.build();
}

}  // namespace cleave::graph
