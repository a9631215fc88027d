#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "exec/fake_quantize.h"
#include "graph/graph.h"
#include "quant/calibration_table.h"

namespace cleave::tune {

/// What becomes of a link through a Clip with an upper bound (Relu6).
enum class UpperBounds {
  kKeep,    ///< it stays exact on the samples: channels that reach the bound keep their values
  kLoosen,  ///< channels that reach it may shrink, and then reach further: min(x, b) becomes min(x, s b), s > 1
};

struct EqualizeOptions {
  UpperBounds bounds = UpperBounds::kKeep;
  int threads = 0;  ///< samples in flight; 0: all cores. Nothing depends on it.
};

/// A network with other weights and biases that computes the same.
struct EqualizedNetwork {
  graph::Graph graph;                ///< nodes, units and tensors as before
  std::vector<std::string> units;    ///< whose weights changed, schedule order
  std::vector<std::string> tensors;  ///< that are rescaled
};

/// Cross-layer equalisation (quant/equalization.h) over all links between units of these names (equal_links.h).
///
/// Passes over the links go on until no channel changes by more than 0.01 %, 20 at most; triples with a depthwise layer
/// in the middle are taken as such. A channel's factor stays within [1e-2, 1e2].
/// inputs   samples that show how near each channel comes to an upper bound.
EqualizedNetwork equalize(const graph::Graph& graph, const std::set<std::string>& units, std::span<const Tensor> inputs,
                          const EqualizeOptions& options);

/// A quantized network on its equalised weights.
struct EqualizedSpec {
  EqualizedNetwork network;
  exec::QuantizationSpec spec;                             ///< scales and grids chosen anew where something changed
  std::map<std::string, quant::TensorStatistics> tensors;  ///< of the rescaled ones, over the samples
};

/// Equalises the units whose weights `spec` quantizes, all of them on the edge. Scales of changed weights are those of
/// least squared error, one per tensor where `spec` has it so; grids of rescaled tensors too.
EqualizedSpec equalize(const graph::Graph& graph, exec::QuantizationSpec spec, std::span<const Tensor> inputs,
                       const EqualizeOptions& options);

/// Gives every changed unit its codes and its bias in `spec`, where it has none yet: what the spec leaves open is read
/// from the network that it is used with, which is the original one.
void keep_parameters(const EqualizedNetwork& network, exec::QuantizationSpec& spec);

}  // namespace cleave::tune
