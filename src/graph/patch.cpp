#include "graph/patch.h"

#include <algorithm>

#include "core/check.h"
#include "core/error.h"
#include "graph/builder.h"

namespace cleave::graph {

namespace {

Error broken(const std::string& what) {
  return Error(ErrorKind::kInvalidInput, what);
}

/// Output `from` is served by `to` from now on, which takes over its name.
void hand_output_over(const Graph& graph, GraphBuilder& builder, TensorId from, TensorId to) {
  std::vector<TensorId> outputs(graph.outputs().begin(), graph.outputs().end());
  if (std::find(outputs.begin(), outputs.end(), from) == outputs.end()) return;
  CLEAVE_CHECK(graph.producer(to).has_value() && !graph.is_output(to), "only a node's own tensor can take the name");
  std::replace(outputs.begin(), outputs.end(), from, to);
  builder.set_outputs(std::move(outputs));
  builder.tensor_at(to).name = graph.tensor(from).name;
}

class Validator {
 public:
  explicit Validator(const Graph& graph) : graph_(graph), made_(graph.tensor_count(), false) {}

  void run() {
    check_tensors();
    for (const TensorId id : graph_.inputs()) make(id, "input");
    for (std::size_t n = 0; n < graph_.nodes().size(); ++n) check_node(graph_.nodes()[n], static_cast<NodeId>(n));
    for (const TensorId id : graph_.outputs()) {
      if (!made_[index(id)]) throw broken("nothing makes the network output '" + graph_.tensor(id).name + "'");
    }
  }

 private:
  void check_tensors() {
    for (std::size_t i = 0; i < graph_.tensor_count(); ++i) {
      const auto id = static_cast<TensorId>(i);
      const TensorInfo& info = graph_.tensor(id);
      if (info.name.empty()) throw broken("a tensor has no name");
      if (graph_.find(info.name) != id) throw broken("two tensors are called '" + info.name + "'");
      const Tensor* value = graph_.constant(id);
      if (value == nullptr) continue;
      make(id, "constant");
      if (value->dtype() != info.dtype || value->shape() != info.shape) {
        throw broken("constant '" + info.name + "' is " + std::string(dtype_name(value->dtype())) + " " +
                     shape_text(value->shape()) + ", but the graph says otherwise");
      }
    }
  }

  void make(TensorId id, const std::string& what) {
    if (made_[index(id)]) throw broken("tensor '" + graph_.tensor(id).name + "' is made twice, again as " + what);
    made_[index(id)] = true;
  }

  void check_node(const Node& node, NodeId id) {
    if (node.name.empty()) throw broken("a node has no name");
    for (const TensorId input : node.inputs) {
      if (input != TensorId::kNone && !made_[index(input)]) {
        throw broken("node '" + node.name + "' reads '" + graph_.tensor(input).name + "' before it is made");
      }
    }
    for (const TensorId output : node.outputs) {
      if (output == TensorId::kNone) continue;
      make(output, "output of node '" + node.name + "'");
      if (graph_.producer(output) != id) throw broken("tensor '" + graph_.tensor(output).name + "' has another maker");
    }
  }

  const Graph& graph_;
  std::vector<bool> made_;
};

}  // namespace

Graph apply(const Graph& graph, const Patch& patch) {
  GraphBuilder builder(graph);
  for (std::size_t i = 0; i < patch.new_constants.size(); ++i) {
    const auto& [name, value] = patch.new_constants[i];
    const TensorId id = builder.constant(builder.free_name(name), value);
    CLEAVE_CHECK(id == Patch::pending(graph, i), "new constants get the ids that the patch was promised");
  }
  for (const auto& [id, node] : patch.replace) builder.node_at(id) = node;
  for (const NodeId id : patch.remove) builder.remove_node(id);
  for (const auto& [id, value] : patch.constants) builder.set_constant(id, value);
  for (const auto& [from, to] : patch.redirect) {
    builder.replace_uses(from, to);
    hand_output_over(graph, builder, from, to);
  }
  return builder.build();
}

void validate(const Graph& graph) {
  Validator(graph).run();
}

}  // namespace cleave::graph
