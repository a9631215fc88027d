#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cost/fit_roofline.h"
#include "exec/session.h"
#include "graph/graph.h"

namespace cleave::cli {

/// How long a network's units take on this machine.
struct UnitTiming {
  std::vector<cost::MeasuredUnits> groups;  ///< units that run together, in schedule order of their first
  double run_s = 0;                         ///< median of whole runs without a clock inside
};

/// Times `network` and groups what was measured by the units of `graph`.
///
/// A unit without steps of its own runs inside another one: it is grouped with the unit that makes its last input.
/// Units that only `network` has (quantization between the layers) count for the unit before them, or the first one.
///
/// network     `graph` itself, or `graph` fake-quantized at `bits`.
/// iterations  runs that are timed; medians are taken.
UnitTiming time_units(const graph::Graph& graph, const graph::Graph& network, quant::Bits bits, int threads,
                      std::int64_t iterations);

}  // namespace cleave::cli
