#include "exec/batch_size.h"

#include <algorithm>

namespace cleave::exec {
namespace {

using graph::Graph;
using graph::TensorId;

constexpr std::size_t kCacheBytes = std::size_t{8} << 20;  // what a few cores may count on of a last-level cache

std::size_t bytes_of(const Graph& graph, TensorId id) {
  const graph::TensorInfo& info = graph.tensor(id);
  return storage_bytes(info.dtype, element_count(info.shape));
}

/// Floats between DequantizeLinear and QuantizeLinear are never stored: kernels take and make codes.
bool is_stored(const Graph& graph, TensorId id) {
  const auto maker = graph.producer(id);
  if (maker && graph.node(*maker).op == "DequantizeLinear") return false;
  const auto readers = graph.consumers(id);
  return readers.empty() || !std::all_of(readers.begin(), readers.end(), [&](graph::NodeId reader) {
           return graph.node(reader).op == "QuantizeLinear";
         });
}

std::size_t stored_bytes(const Graph& graph, const std::vector<TensorId>& tensors) {
  std::size_t sum = 0;
  for (const TensorId id : tensors) sum += is_stored(graph, id) ? bytes_of(graph, id) : 0;
  return sum;
}

std::size_t constant_bytes(const Graph& graph) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
    const Tensor* value = graph.constant(static_cast<TensorId>(i));
    if (value != nullptr) sum += value->bytes();
  }
  return sum;
}

}  // namespace

bool runs_better_one_by_one(const Graph& graph) {
  const Shape& input = graph.tensor(graph.inputs()[0]).shape;
  const auto batch = static_cast<std::size_t>(input.empty() ? 1 : std::max<std::int64_t>(input[0], 1));
  std::size_t largest = 0;
  std::size_t activations = 0;
  for (const graph::Unit& unit : graph.units()) {
    const std::size_t made = stored_bytes(graph, unit.outputs);
    largest = std::max(largest, made + stored_bytes(graph, unit.inputs));
    activations += made;
  }
  return largest > kCacheBytes && activations / batch > constant_bytes(graph);
}

}  // namespace cleave::exec
