#include "tune/equal_links.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "tune/channel_weights.h"

namespace cleave::tune {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::TensorId;
using graph::Unit;

namespace {

/// A constant number; empty for anything else.
std::optional<double> constant_number(const Graph& graph, TensorId id) {
  const Tensor* value = id == TensorId::kNone ? nullptr : graph.constant(id);
  if (value == nullptr || value->dtype() != DType::kFloat32 || value->elements() != 1) return std::nullopt;
  return static_cast<double>(value->data<float>()[0]);
}

class LinkFinder {
 public:
  LinkFinder(const Graph& graph, const std::set<std::string>& units) : graph_(graph), units_(units) {}

  std::optional<EqualLink> from(std::size_t position) const {
    const Unit& unit = graph_.units()[position];
    if (!can_change(unit) || unit.outputs.size() != 1) return std::nullopt;
    EqualLink link{position, 0, {}, {}};
    if (!is_homogeneous(unit, link)) return std::nullopt;
    TensorId tensor = unit.outputs[0];
    const std::int64_t channels = ChannelWeights(graph_, unit).outputs();
    while (const Unit* reader = only_reader(tensor)) {
      link.tensors.push_back(graph_.tensor(tensor).name);
      if (reads_channels(*reader, tensor, channels)) {
        link.to = static_cast<std::size_t>(reader - graph_.units().data());
        return link;
      }
      if (!keeps_channels(*reader)) return std::nullopt;
      tensor = reader->outputs[0];
    }
    return std::nullopt;
  }

 private:
  bool can_change(const Unit& unit) const { return units_.contains(unit.name) && ChannelWeights::has(graph_, unit); }

  /// What follows the sum in its unit; notes an upper bound.
  bool is_homogeneous(const Unit& unit, EqualLink& link) const {
    return std::all_of(unit.nodes.begin(), unit.nodes.end(), [&](NodeId id) {
      const Node& node = graph_.node(id);
      if (id == unit.main || node.op == "Relu" || node.op == "LeakyRelu" || node.op == "PRelu") return true;
      return node.op == "Clip" && is_clip_from_zero(node, link);
    });
  }

  bool is_clip_from_zero(const Node& node, EqualLink& link) const {
    const bool from_zero = constant_number(graph_, node.input(1)) == 0.0;
    if (node.input(2) == TensorId::kNone) return from_zero;
    const auto bound = constant_number(graph_, node.input(2));
    if (!from_zero || !bound || !(*bound > 0)) return false;
    if (std::isfinite(*bound)) link.bound = bound;
    return true;
  }

  /// The unit that reads a tensor, if there is one and nobody else sees it.
  const Unit* only_reader(TensorId tensor) const {
    const auto readers = graph_.consumers(tensor);
    if (graph_.is_output(tensor) || readers.size() != 1) return nullptr;
    const Unit& unit = graph_.unit(graph_.unit_of(readers[0]));
    return unit.main == readers[0] && graph_.node(unit.main).input(0) == tensor ? &unit : nullptr;
  }

  bool reads_channels(const Unit& unit, TensorId tensor, std::int64_t channels) const {
    const Shape& shape = graph_.tensor(tensor).shape;
    return can_change(unit) && shape.size() >= 2 && shape[1] == channels &&
           ChannelWeights(graph_, unit).inputs() == channels;
  }

  bool keeps_channels(const Unit& unit) const {
    constexpr std::array<std::string_view, 4> kPools{"MaxPool", "AveragePool", "GlobalAveragePool", "Identity"};
    constexpr std::array<std::string_view, 3> kReshapes{"Flatten", "Reshape", "Squeeze"};
    if (unit.nodes.size() != 1 || unit.outputs.size() != 1) return false;
    if (std::find(kPools.begin(), kPools.end(), unit.op) != kPools.end()) return true;
    if (std::find(kReshapes.begin(), kReshapes.end(), unit.op) == kReshapes.end()) return false;
    const Shape& from = graph_.tensor(graph_.node(unit.main).inputs[0]).shape;
    const Shape& to = graph_.tensor(unit.outputs[0]).shape;
    return from.size() >= 2 && to == Shape{from[0], from[1]};
  }

  const Graph& graph_;
  const std::set<std::string>& units_;
};

}  // namespace

std::vector<EqualLink> equal_links(const Graph& graph, const std::set<std::string>& units) {
  std::vector<EqualLink> links;
  const LinkFinder finder(graph, units);
  for (std::size_t u = 0; u < graph.units().size(); ++u) {
    if (auto link = finder.from(u)) links.push_back(std::move(*link));
  }
  return links;
}

}  // namespace cleave::tune
