#include "exec/control/if.h"

#include "core/error.h"
#include "exec/control/values.h"

namespace cleave::exec {

If::If(const graph::Graph& graph, const graph::Node& node, const SessionOptions& options)
    : then_(graph, node, "then_branch", options), else_(graph, node, "else_branch", options) {
  for (const Subgraph* branch : {&then_, &else_}) {
    if (branch->formal_inputs() == 0 && branch->outputs() == node.outputs.size()) continue;
    throw Error(ErrorKind::kInvalidInput, "node '" + node.name + "': its branches must make " +
                                              std::to_string(node.outputs.size()) + " tensors from no input");
  }
}

std::vector<Tensor> If::run(std::span<const Tensor> inputs) {
  return condition_of(inputs[0], "the condition") ? then_.run({}, inputs) : else_.run({}, inputs);
}

}  // namespace cleave::exec
