#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace cleave::tune {

/// Two layers between which channels can be rescaled: what the first puts out is read by the second alone, and all in
/// between is positively homogeneous, channel by channel, but for an upper bound.
struct EqualLink {
  std::size_t from;  ///< position of the first unit in the schedule
  std::size_t to;    ///< of the second
  std::vector<std::string>
      tensors;                  ///< what is rescaled: the first unit's output, and that of each unit up to the second
  std::optional<double> bound;  ///< of a Clip that ends the first unit
};

/// All links between units of these names, in schedule order.
///
/// The first unit ends in its sum, Relu, LeakyRelu, PRelu or a Clip from 0 on; pools and reshapes that keep the
/// channels may follow; ChannelWeights takes both. No tensor in between is a network output or has another reader.
std::vector<EqualLink> equal_links(const graph::Graph& graph, const std::set<std::string>& units);

}  // namespace cleave::tune
