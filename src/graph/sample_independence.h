#pragma once

#include "graph/graph.h"

namespace cleave::graph {

/// True when it is certain that every input and output has the batch as its first dimension and that sample i of each
/// output depends on sample i of the inputs alone, so that a batch may run sample by sample.
///
/// Asked of a prepared graph with a batch of at least 2. Certain are operators that keep the first dimension and look
/// along others only (sample_independence.cpp lists them); with any other operator on the way the answer is no.
bool has_independent_samples(const Graph& graph);

}  // namespace cleave::graph
