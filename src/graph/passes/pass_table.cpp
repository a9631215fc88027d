#include <array>

#include "graph/fold/call.h"
#include "graph/passes/passes.h"

namespace cleave::graph {

namespace {

constexpr std::array<Pass, 5> kPasses{{
    {"fold_constants", "nodes whose inputs are all known become constants", fold_constants},
    {"remove_identity", "nodes that hand their input on unchanged disappear", remove_identity},
    {"fold_pad", "zero padding becomes part of the convolution or average pooling behind it", fold_pad},
    {"fold_batch_norm", "batch normalization becomes part of the weights before it", fold_batch_norm},
    {"remove_unused", "nodes that nobody needs disappear", remove_unused},
}};

}  // namespace

std::span<const Pass> pass_table() {
  return kPasses;
}

bool can_redirect(const Graph& graph, TensorId from, TensorId to) {
  if (!graph.is_output(from)) return true;
  return graph.producer(to).has_value() && !graph.is_output(to);
}

std::optional<NodeId> only_reader(const Graph& graph, TensorId id) {
  const auto readers = graph.consumers(id);
  if (readers.size() != 1 || graph.is_output(id)) return std::nullopt;
  return readers.front();
}

std::optional<std::vector<std::int64_t>> constant_integers(const Graph& graph, TensorId id) {
  const Tensor* value = id == TensorId::kNone ? nullptr : graph.constant(id);
  return value == nullptr ? std::nullopt : fold::integers_of(*value);
}

}  // namespace cleave::graph
