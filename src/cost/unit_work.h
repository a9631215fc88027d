#pragma once

#include <cstdint>
#include <string>

#include "graph/graph.h"

namespace cleave::cost {

/// What one unit has to do, in numbers: everything a latency model may look at.
struct UnitWork {
  std::string op;
  std::int64_t macs = 0;             ///< multiply-accumulates, whole batch
  std::int64_t vector_ops = 0;       ///< element operations of units without MACs (pool windows counted in full)
  std::int64_t weight_elements = 0;  ///< bias excluded
  std::int64_t input_elements = 0;   ///< distinct data inputs, summed; constants left out
  std::int64_t output_elements = 0;

  /// Convolution geometry: zero for other units. 1-D has height 1; of more than two spatial dimensions all but the last
  /// are multiplied into the height. A matrix product is a 1x1 convolution whose rows are pixels (width); its batch
  /// of second operands, if any, are groups.
  bool is_convolution = false;
  std::int64_t batch = 1;
  std::int64_t in_height = 0, in_width = 0;  ///< as stored, without padding
  std::int64_t out_height = 0, out_width = 0;
  std::int64_t kernel_height = 0, kernel_width = 0;
  std::int64_t stride_height = 1, stride_width = 1;
  std::int64_t in_channels = 0, out_channels = 0;  ///< whole convolution, all groups
  std::int64_t groups = 1;
};

/// The work of one unit, from shapes alone. An activation fused to a unit with MACs is free; other units count every
/// node. Moving data (Concat, Reshape, Slice, ...) is no operation: only its bytes count.
/// graph   fully shaped.
/// Throws Error(kUnsupported) for counts beyond 64 bits. Cost: O(nodes of the unit).
UnitWork describe(const graph::Graph& graph, graph::UnitId unit);

}  // namespace cleave::cost
