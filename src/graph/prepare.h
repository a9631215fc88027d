#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "graph/graph.h"
#include "graph/model.h"

namespace cleave::graph {

/// What becomes of tensors whose shape depends on the data (NonZero, Loop, a shape that is an input, ...).
enum class DataDependentShapes {
  kRefuse,  ///< Error(kUnsupported) naming the tensor and why
  kAccept,  ///< they stay unknown: the graph can be run, but not priced or cut
};

struct PrepareOptions {
  /// By input name; the others keep theirs, a symbolic batch becomes 1. Dimensions start at 1, or at 0 for a graph that
  /// shall only run (kAccept).
  std::map<std::string, Shape> input_shapes;
  DataDependentShapes data_dependent = DataDependentShapes::kRefuse;
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

/// Why a prepared graph can be run but not priced or cut, naming the first node whose result has a shape that only a
/// run can tell; empty when every shape is known.
std::optional<Error> why_not_cut(const Graph& graph);

/// The pass table alone, to a fixed point; shapes may be unknown.
Graph simplify(const Graph& graph, std::vector<PassReport>* report = nullptr);

/// One input of a graph as a run brings it.
struct InputFacts {
  DType dtype = DType::kUndefined;
  Shape shape;                    ///< dimensions may be 0
  const Tensor* value = nullptr;  ///< not null: the input becomes this constant and is an input no more
};

/// The graph for such inputs (in graph order): types and shapes inferred anew, shape arithmetic folded, branches with a
/// known condition inlined. What depends on the data stays unknown.
Graph specialize(const Graph& graph, std::span<const InputFacts> inputs);

}  // namespace cleave::graph
