#pragma once

#include <string>
#include <vector>

#include "bundle/wire_tensor.h"
#include "exec/fake_quantize.h"
#include "graph/graph.h"

namespace cleave::bundle {

/// What connects the two halves, by names of the network.
struct Interface {
  std::vector<WireTensor> wire;
  std::vector<std::string> edge_results;   ///< network outputs that edge.onnx returns
  std::vector<std::string> cloud_results;  ///< network outputs that cloud.onnx returns
};

/// The float network of both halves: the model as its file says it wherever it can be cut so, else the prepared one.
struct FloatNetwork {
  graph::Graph graph;
  bool as_in_file = true;  ///< false: constants were folded to make the cut possible, so the batch is fixed
};

/// The model such that its cloud side needs nothing but the crossing tensors.
///
/// A file may compute shapes from tensors on the other side of the cut, and may read a crossing tensor under the name
/// it has before an Identity. Folded values of the prepared graph stand in for the former, the crossing tensor for the
/// latter; all other nodes stay untouched.
FloatNetwork float_network(const graph::Graph& model, const graph::Graph& prepared, const Interface& interface);

/// Network inputs -> wire ports and edge results, every node quantized as `spec` says.
graph::Graph quantized_edge(const graph::Graph& prepared, const exec::QuantizationSpec& spec,
                            const Interface& interface);
/// Network inputs -> crossing tensors and edge results in float, nodes as in the file.
graph::Graph float_edge(const FloatNetwork& network, const graph::Graph& prepared, const Interface& interface);
/// Wire ports -> cloud results: the prologue, then float nodes as in the file. `batchable`: any number of samples.
graph::Graph cloud_half(const FloatNetwork& network, const graph::Graph& prepared, const Interface& interface,
                        bool batchable);

}  // namespace cleave::bundle
