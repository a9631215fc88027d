// Zero padding becomes part of the convolution or average pooling behind it.
//
//     x ── Pad(p) ── Conv(pads q) ── y          becomes          x ── Conv(pads p + q) ── y
//
// Exact because Conv pads with zeros, and AveragePool too when it counts what it padded (count_include_pad = 1).
// MaxPool pads with -infinity, so it stays alone. Fires for constant zeros on spatial axes only.
#include <algorithm>

#include "graph/passes/passes.h"

namespace cleave::graph {

namespace {

bool is_zero(const Graph& graph, TensorId id) {
  if (id == TensorId::kNone) return true;
  const Tensor* value = graph.constant(id);
  if (value == nullptr || value->elements() != 1) return false;
  const auto raw = value->raw();
  return std::all_of(raw.begin(), raw.end(), [](std::byte b) { return b == std::byte{0}; });
}

/// [begin of each spatial axis, end of each spatial axis], as Conv wants it; empty when the Pad does more than that.
std::optional<std::vector<std::int64_t>> spatial_pads(const Graph& graph, const Node& pad) {
  if (pad.text("mode", "constant") != "constant" || pad.input(3) != TensorId::kNone || !is_zero(graph, pad.input(2))) {
    return std::nullopt;
  }
  const auto pads = constant_integers(graph, pad.input(1));
  if (!pads || pads->size() < 6 || pads->size() % 2 != 0) return std::nullopt;
  const std::size_t rank = pads->size() / 2;
  std::vector<std::int64_t> spatial;
  for (std::size_t i = 0; i < pads->size(); ++i) {
    const std::int64_t amount = (*pads)[i];
    if (amount < 0 || (i % rank < 2 && amount != 0)) return std::nullopt;
    if (i % rank >= 2) spatial.push_back(amount);
  }
  return spatial;
}

bool all_zero(const std::vector<std::int64_t>& values) {
  return std::all_of(values.begin(), values.end(), [](std::int64_t v) { return v == 0; });
}

/// Pooling may not pad as much as its window is wide.
bool window_covers(const Node& pool, const std::vector<std::int64_t>& pads) {
  const std::vector<std::int64_t> window = pool.integers("kernel_shape");
  if (window.size() * 2 != pads.size()) return false;
  for (std::size_t i = 0; i < pads.size(); ++i) {
    if (pads[i] >= window[i % window.size()]) return false;
  }
  return true;
}

bool accepts(const Node& node, const std::vector<std::int64_t>& own, const std::vector<std::int64_t>& sum) {
  if (node.text("auto_pad", "NOTSET") != "NOTSET" && node.text("auto_pad", "NOTSET") != "VALID") return false;
  if (node.op == "Conv") return true;
  const bool counts_pads = node.integer("count_include_pad", 0) != 0 || all_zero(own);
  return node.op == "AveragePool" && counts_pads && node.integer("ceil_mode", 0) == 0 && window_covers(node, sum);
}

}  // namespace

std::optional<Patch> fold_pad(const Graph& graph, NodeId id) {
  const Node& pad = graph.node(id);
  if (pad.op != "Pad" || !pad.domain.empty()) return std::nullopt;
  const auto added = spatial_pads(graph, pad);
  const auto reader = only_reader(graph, pad.outputs.front());
  if (!added || !reader || graph.node(*reader).input(0) != pad.outputs.front()) return std::nullopt;
  Node node = graph.node(*reader);
  if (!node.domain.empty() || std::count(node.inputs.begin(), node.inputs.end(), pad.outputs.front()) != 1) {
    return std::nullopt;
  }
  const std::vector<std::int64_t> own = node.integers("pads", std::vector<std::int64_t>(added->size(), 0));
  if (own.size() != added->size()) return std::nullopt;
  std::vector<std::int64_t> sum = own;
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += (*added)[i];
  if (!accepts(node, own, sum)) return std::nullopt;
  node.inputs[0] = pad.inputs[0];
  node.attributes.erase("auto_pad");
  node.attributes["pads"] = sum;
  if (node.op == "AveragePool") node.attributes["count_include_pad"] = std::int64_t{1};
  Patch patch;
  patch.remove.push_back(id);
  patch.replace.emplace(*reader, std::move(node));
  return patch;
}

}  // namespace cleave::graph
