#include "search/max_flow.h"

#include <algorithm>
#include <boost/graph/boykov_kolmogorov_max_flow.hpp>
#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <cmath>
#include <cstdint>
#include <tuple>

#include "search/item.h"

namespace cleave::search {

namespace {

using Quanta = std::int64_t;
constexpr int kQuantaBits = 60;
constexpr Quanta kUnlimitedQuanta = Quanta{1} << kQuantaBits;

/// k of the smallest 2^k with sum / 2^k < 2^60.
int quantum_exponent(double sum) {
  return sum > 0 ? std::ilogb(sum) + 1 - kQuantaBits : 0;
}

struct Edge {
  int from;
  int to;
  Quanta capacity;
  Quanta residual = 0;
};

bool before(const Edge& a, const Edge& b) {
  return std::tie(a.from, a.to) < std::tie(b.from, b.to);
}

/// Sorted, each once: parallel ones become one.
std::vector<Edge> merged(std::vector<Edge> edges) {
  std::sort(edges.begin(), edges.end(), before);
  std::vector<Edge> result;
  for (const Edge& edge : edges) {
    if (result.empty() || before(result.back(), edge)) {
      result.push_back(edge);
    } else {
      result.back().capacity = std::min(result.back().capacity + edge.capacity, kUnlimitedQuanta);
    }
  }
  return result;
}

using Network = boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, Edge>;
using NetworkTraits = boost::graph_traits<Network>;

Network network_of(int nodes, const std::vector<Edge>& edges) {
  std::vector<std::pair<std::size_t, std::size_t>> ends;
  for (const Edge& edge : edges) ends.emplace_back(edge.from, edge.to);
  return {boost::edges_are_sorted, ends.begin(), ends.end(), edges.begin(), static_cast<std::size_t>(nodes)};
}

/// Per edge, the one that leads back; `edges` are the network's, in its order.
std::vector<NetworkTraits::edge_descriptor> reverse_edges(const std::vector<Edge>& edges) {
  std::vector<NetworkTraits::edge_descriptor> reverse;
  for (const Edge& edge : edges) {
    const auto back = std::lower_bound(edges.begin(), edges.end(), Edge{edge.to, edge.from, 0}, before);
    reverse.emplace_back(static_cast<std::size_t>(edge.to), static_cast<std::size_t>(back - edges.begin()));
  }
  return reverse;
}

Quanta largest_flow(Network& network, const std::vector<Edge>& edges, int source, int sink) {
  const auto reverse = reverse_edges(edges);
  const std::size_t nodes = num_vertices(network);
  std::vector<NetworkTraits::edge_descriptor> predecessor(nodes);
  std::vector<boost::default_color_type> color(nodes);
  std::vector<int> distance(nodes);
  const auto node_map = [index = get(boost::vertex_index, network)](auto& list) {
    return boost::make_iterator_property_map(list.begin(), index);
  };
  return boost::boykov_kolmogorov_max_flow(
      network, get(&Edge::capacity, network), get(&Edge::residual, network),
      boost::make_iterator_property_map(reverse.begin(), get(boost::edge_index, network)), node_map(predecessor),
      node_map(color), node_map(distance), get(boost::vertex_index, network), static_cast<std::size_t>(source),
      static_cast<std::size_t>(sink));
}

/// Nodes that can be reached over edges of which `open` holds.
std::vector<bool> reached_from(const Network& network, int source, const auto& open) {
  std::vector<bool> reached(num_vertices(network), false);
  std::vector<std::size_t> stack = {static_cast<std::size_t>(source)};
  item(reached, source) = true;
  while (!stack.empty()) {
    const std::size_t node = stack.back();
    stack.pop_back();
    for (auto [edge, last] = out_edges(node, network); edge != last; ++edge) {
      const std::size_t to = target(*edge, network);
      if (reached[to] || !open(network[*edge])) continue;
      reached[to] = true;
      stack.push_back(to);
    }
  }
  return reached;
}

}  // namespace

void MaxFlow::add_arc(int from, int to, double capacity) {
  arcs_.push_back({from, to, capacity});
}

double MaxFlow::solve(int source, int sink) {
  double finite = 0;
  for (const Arc& arc : arcs_) finite += arc.capacity < kUnlimited ? arc.capacity : 0;
  const int exponent = quantum_exponent(finite);
  std::vector<Edge> edges;
  for (const Arc& arc : arcs_) {
    // Boost's algorithm wants no loops, edges into the source or out of the sink, nor parallel ones; no cut needs them.
    if (arc.from == arc.to || arc.to == source || arc.from == sink) continue;
    const bool limited = arc.capacity < kUnlimited;
    const auto quanta = limited ? static_cast<Quanta>(std::ldexp(arc.capacity, -exponent)) : kUnlimitedQuanta;
    edges.push_back({arc.from, arc.to, quanta});
    edges.push_back({arc.to, arc.from, 0});
  }
  edges = merged(std::move(edges));
  Network network = network_of(nodes_, edges);
  // Where no path is unlimited, the flow stays below the finite capacities' sum, and so far from overflow.
  source_side_ = reached_from(network, source, [](const Edge& edge) { return edge.capacity == kUnlimitedQuanta; });
  if (item(source_side_, sink)) return kUnlimited;
  const Quanta flow = largest_flow(network, edges, source, sink);
  source_side_ = reached_from(network, source, [](const Edge& edge) { return edge.residual > 0; });
  return std::ldexp(static_cast<double>(flow), exponent);
}

}  // namespace cleave::search
