#include "graph/declared_shapes.h"

#include <algorithm>

#include "graph/onnx_read.h"
#include "graph/resolve_shapes.h"
#include "graph/shape_inputs.h"

namespace cleave::graph {
namespace {

/// The result's shape depends on values that are only known when the network runs, and the kernel checks them then.
bool has_unknown_shape_input(const Graph& graph, const Node& node) {
  const ShapeInputs& deciding = shape_inputs(node);
  return deciding.kernel_checks &&
         std::any_of(deciding.positions.begin(), deciding.positions.end(), [&](std::size_t i) {
           return node.input(i) != TensorId::kNone && graph.constant(node.input(i)) == nullptr;
         });
}

/// No dimension that is known is known to be another.
bool agree(const TensorInfo& inferred, const TensorInfo& declared) {
  if (inferred.dtype != DType::kUndefined && inferred.dtype != declared.dtype) return false;
  if (!inferred.ranked) return true;
  return std::equal(inferred.shape.begin(), inferred.shape.end(), declared.shape.begin(), declared.shape.end(),
                    [](std::int64_t a, std::int64_t b) { return a < 0 || a == b; });
}

bool has_fixed_inputs(const Graph& graph) {
  const auto inputs = graph.inputs();
  return std::all_of(inputs.begin(), inputs.end(), [&](TensorId id) { return is_fully_known(graph.tensor(id)); });
}

}  // namespace

std::optional<Graph> with_declared_shapes(const Graph& resolved, const Graph& declared) {
  if (!has_fixed_inputs(declared)) return std::nullopt;
  std::map<std::string, TensorInfo> believed;
  for (const Node& node : resolved.nodes()) {
    if (!has_unknown_shape_input(resolved, node)) continue;
    for (const TensorId id : node.outputs) {
      if (id == TensorId::kNone || is_fully_known(resolved.tensor(id))) continue;
      const std::optional<TensorId> there = declared.find(resolved.tensor(id).name);
      if (!there || !is_fully_known(declared.tensor(*there))) continue;
      const TensorInfo& info = declared.tensor(*there);
      if (agree(resolved.tensor(id), info)) believed[info.name] = info;
    }
  }
  if (believed.empty()) return std::nullopt;
  return with_types(resolved, believed);
}

}  // namespace cleave::graph
