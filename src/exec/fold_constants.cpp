#include "exec/fold_constants.h"

#include <algorithm>
#include <numeric>

#include "exec/kernels/kernel.h"
#include "exec/kernels/operator_table.h"

namespace cleave::exec {

using graph::Graph;
using graph::Node;
using graph::TensorId;

namespace {

constexpr std::size_t kLargeBytes = 4096;  // shapes, scales and other small things are kept for the next lowering

}  // namespace

FoldedConstants::FoldedConstants(const Graph& graph, const PackedConstants* packed) : graph_(&graph), packed_(packed) {
  for (std::size_t i = 0; i < graph.tensor_count(); ++i) {
    known_.push_back(graph.constant(static_cast<TensorId>(i)) != nullptr);
  }
  for (const Node& node : graph.nodes()) {
    if (!all_known(node)) continue;
    for (const TensorId id : node.outputs) {
      if (id != TensorId::kNone) known_[index(id)] = true;
    }
  }
}

bool FoldedConstants::all_known(const Node& node) const {
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [this](TensorId id) { return id == TensorId::kNone || known(id); });
}

const Tensor* FoldedConstants::value(TensorId id) const {
  const Tensor* given = graph_->constant(id);
  const bool is_packed = packed_ != nullptr && packed_->holds(id);
  if (given != nullptr && !is_packed) return given;
  if (!known(id)) return nullptr;
  if (!computed_.contains(id)) {
    if (is_packed) {
      computed_[id] = packed_->codes(*graph_, id);
    } else {
      evaluate(graph_->node(*graph_->producer(id)));
    }
  }
  return &computed_.at(id);
}

void FoldedConstants::forget_large() const {
  std::erase_if(computed_, [](const auto& item) { return item.second.bytes() > kLargeBytes; });
}

std::size_t FoldedConstants::held_bytes() const {
  return std::accumulate(computed_.begin(), computed_.end(), std::size_t{0},
                         [](std::size_t sum, const auto& item) { return sum + item.second.bytes(); });
}

void FoldedConstants::evaluate(const Node& node) const {
  std::vector<InputView> inputs;
  for (const TensorId id : node.inputs) {
    inputs.push_back(id == TensorId::kNone ? InputView{} : view_of(*value(id)));
  }
  std::vector<Tensor> values;
  std::vector<OutputView> outputs;
  for (const TensorId id : node.outputs) {
    if (id == TensorId::kNone) {
      values.emplace_back();
      outputs.emplace_back();
      continue;
    }
    const graph::TensorInfo& info = graph_->tensor(id);
    values.emplace_back(info.dtype, info.shape);
    outputs.push_back(
        {info.dtype, info.shape, strides_of(info.shape, Layout::kPlain), values.back().mutable_raw().data()});
  }
  operator_of(node).reference({node, inputs, outputs});
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (node.outputs[i] != TensorId::kNone) computed_[node.outputs[i]] = std::move(values[i]);
  }
}

}  // namespace cleave::exec
