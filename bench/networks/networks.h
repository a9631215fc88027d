#pragma once

#include <span>

#include "graph/graph.h"

namespace cleave::bench {

/// Networks that everybody measures with, at 224 x 224 x 3 and 1000 classes, symbolic batch, weights as LayerWriter
/// seeds them.
graph::Graph resnet18();      ///< He et al., CVPR 2016: basic blocks, 1.8 GMAC
graph::Graph resnet50();      ///< bottlenecks with the stride on the 3x3 convolution, 4.1 GMAC
graph::Graph mobilenet_v2();  ///< Sandler et al., CVPR 2018: inverted residuals, 0.3 GMAC
/// One Relu on a pixel: what a call costs beside the network's work.
graph::Graph one_relu();

struct NamedNetwork {
  const char* name;
  graph::Graph (*make)();
};
std::span<const NamedNetwork> networks();

}  // namespace cleave::bench
