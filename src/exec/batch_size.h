#pragma once

#include "graph/graph.h"

namespace cleave::exec {

/// Whether a network, prepared for a batch, is better run sample by sample.
///
/// A program for the whole batch reads its weights once for all samples and its activations of all samples layer by
/// layer. The former saves reading the weights again; the latter costs what the activations no longer find in the cache
/// between one layer and the next. So: one by one when the activations of the batch do not fit (the largest unit's
/// inputs and outputs exceed kCacheBytes) and the activations of a sample weigh more than the weights.
bool runs_better_one_by_one(const graph::Graph& graph);

}  // namespace cleave::exec
