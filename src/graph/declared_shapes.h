#pragma once

#include "graph/graph.h"

namespace cleave::graph {

/// Some results have a shape that the values of inputs decide (Reshape's second, Slice's borders, ...). Where such an
/// input is only known when the network runs, but the file says which shape comes out, the file is believed: kernels
/// compare what the values ask for with it.
///
/// resolved   what resolve_shapes makes of `declared`.
/// declared   the network as its file says it; believed only where all its input shapes are fixed, since what it says
///            holds for these.
/// Returns `resolved` with these shapes, or nothing where there are none to add.
std::optional<Graph> with_declared_shapes(const Graph& resolved, const Graph& declared);

}  // namespace cleave::graph
