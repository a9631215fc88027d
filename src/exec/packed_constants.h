#pragma once

#include <cstdint>
#include <map>

#include "graph/graph.h"
#include "quant/bits.h"

namespace cleave::exec {

/// Constants of int8 or uint8 codes that need at most 7 bits, as weights of 2 to 7 bits do, held bit-packed
/// (quant::pack). A session keeps them so, and makes codes of them while it compiles.
class PackedConstants {
 public:
  /// Packs them. In the graph returned their packed bytes (uint8, one dimension) stand in their place, under the old
  /// element type and shape; ids keep their meaning. Whoever wants the codes must ask here (FoldedConstants does).
  /// Constants of fewer than 64 elements stay as they are. Cost O(elements).
  graph::Graph take_from(graph::Graph graph);

  bool holds(graph::TensorId id) const { return formats_.contains(id); }
  /// The codes of a constant that it holds; `graph` is the one returned by take_from.
  Tensor codes(const graph::Graph& graph, graph::TensorId id) const;

 private:
  /// A stored number u stands for the code u + lowest.
  struct Format {
    quant::Bits bits;
    std::int32_t lowest = 0;
  };
  std::map<graph::TensorId, Format> formats_;
};

}  // namespace cleave::exec
