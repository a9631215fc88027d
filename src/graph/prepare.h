#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/model.h"

namespace cleave::graph {

struct PrepareOptions {
  std::map<std::string, Shape> input_shapes;  ///< by input name; the others keep theirs, a symbolic batch becomes 1
};

/// What one pass did, for reports and tests.
struct PassReport {
  std::string pass;
  int fired = 0;
};

/// Turns a model into a graph that is ready to run, price and cut: all shapes known, shape arithmetic and constants
/// folded, Identity/Dropout gone, BatchNormalization folded into its producer, Pad folded into Conv and pooling.
/// Runs the ordered pass table to a fixed point; validates after every patch.
/// Throws Error(kInvalidInput) when a dimension stays unknown: the message names input and dimension and says how to
/// give it (--shape name=1x3x224x224).
Graph prepare(const Model& model, const PrepareOptions& options = {}, std::vector<PassReport>* report = nullptr);

/// The same for a network that was built in memory.
Graph prepare(const Graph& graph, const PrepareOptions& options = {}, std::vector<PassReport>* report = nullptr);

}  // namespace cleave::graph
