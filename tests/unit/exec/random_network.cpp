#include "random_network.h"

#include <ostream>
#include <set>

#include "growths.h"

namespace cleave::exec::testing {

using graph::TensorId;

namespace {

Grow growth_of(const Gene& gene, bool image) {
  const auto images = image_growths();
  const auto tensors = tensor_growths();
  // On a feature map two of three are operators of feature maps.
  if (image && gene.op % 3 != 0) return images[gene.op / 3 % images.size()];
  return tensors[gene.op / 3 % tensors.size()];
}

std::set<TensorId> read_by_nodes(graph::GraphBuilder& builder) {
  std::set<TensorId> read;
  for (std::size_t i = 0; i < builder.node_count(); ++i) {
    const graph::Node& node = builder.node_at(static_cast<graph::NodeId>(i));
    read.insert(node.inputs.begin(), node.inputs.end());
  }
  return read;
}

}  // namespace

void showValue(const Gene& gene, std::ostream& out) {
  out << "{" << gene.op << ", " << gene.source << ", " << gene.a << ", " << gene.b << ", " << gene.c << "}";
}

graph::Graph random_network(std::span<const Gene> genes, Start start) {
  NetworkBuilder net(1);
  std::vector<TensorId> tensors;
  if (start == Start::kImage) {
    tensors = {net.input({2, 6, 9, 7})};
  } else {
    tensors = {net.input({3, 12}), net.input({2, 4, 6})};
  }
  const std::size_t given = tensors.size();
  for (const Gene& gene : genes) {
    const TensorId x = tensors[gene.source % tensors.size()];
    const auto made = growth_of(gene, net.shape(x).size() == 4)({net, tensors}, x, gene);
    tensors.insert(tensors.end(), made.begin(), made.end());
  }
  if (tensors.size() == given) tensors.push_back(net.like_first("Relu", {tensors[0]}));
  const std::set<TensorId> read = read_by_nodes(net.builder());
  for (std::size_t i = given; i < tensors.size(); ++i) {
    if (!read.contains(tensors[i]) || i % 4 == 3) net.output(tensors[i]);
  }
  for (std::size_t i = 0; i < given; ++i) {
    if (!read.contains(tensors[i])) net.output(net.like_first("Neg", {tensors[i]}));
  }
  return net.build();
}

std::string listing(const graph::Graph& graph) {
  const auto text = [&graph](const std::vector<TensorId>& ids) {
    std::string list;
    for (const TensorId id : ids) {
      list += list.empty() ? "" : ", ";
      list += id == TensorId::kNone ? "-" : graph.tensor(id).name + " " + shape_text(graph.tensor(id).shape);
    }
    return list;
  };
  std::string lines;
  for (const graph::Node& node : graph.nodes()) {
    lines += text(node.outputs) + " = " + node.op + "(" + text(node.inputs) + ")";
    for (const auto& [name, value] : node.attributes) {
      lines += " " + name;
      if (const auto* number = std::get_if<std::int64_t>(&value)) lines += "=" + std::to_string(*number);
      if (const auto* word = std::get_if<std::string>(&value)) lines += "=" + *word;
      if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value)) lines += "=" + shape_text(*list);
    }
    lines += "\n";
  }
  return lines;
}

}  // namespace cleave::exec::testing
