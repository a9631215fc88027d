#include "exec/staged/dynamic_node.h"

#include "exec/control/control_flow.h"
#include "exec/kernels/operator_table.h"
#include "exec/staged/value_shaped_node.h"

namespace cleave::exec {
namespace {

class FreeKernelNode : public DynamicNode {
 public:
  FreeKernelNode(const graph::Node& node, FreeKernel kernel) : node_(node), kernel_(kernel) {}

  std::vector<Tensor> run(std::span<const Tensor> inputs) override {
    std::vector<InputView> views;
    for (const Tensor& tensor : inputs) views.push_back(tensor.empty() ? InputView{} : view_of(tensor));
    return kernel_({node_, views, {}});
  }

 private:
  const graph::Node& node_;
  FreeKernel kernel_;
};

FreeKernel free_kernel_of(const graph::Node& node) {
  const Operator* row = node.domain.empty() ? find_operator(node.op) : nullptr;
  return row == nullptr ? nullptr : row->free_kernel;
}

}  // namespace

bool is_always_dynamic(const graph::Node& node) {
  return is_control_flow(node) || free_kernel_of(node) != nullptr;
}

std::unique_ptr<DynamicNode> make_dynamic_node(const graph::Graph& graph, graph::NodeId id,
                                               const SessionOptions& options) {
  const graph::Node& node = graph.node(id);
  if (is_control_flow(node)) return make_control_flow(graph, id, options);
  if (const FreeKernel kernel = free_kernel_of(node)) return std::make_unique<FreeKernelNode>(node, kernel);
  return std::make_unique<ValueShapedNode>(graph, id, options);
}

}  // namespace cleave::exec
