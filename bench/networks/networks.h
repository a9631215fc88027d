#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "graph/graph.h"

namespace cleave::bench {

// Networks that everybody measures with, built from their publications' definitions: 1000 classes, symbolic batch,
// weights as LayerWriter seeds them. They serve pricing, search and speed, never accuracy. Layers are named as in
// torchvision and in PyTorch readers of Darknet files, so that tables of others can be joined by name.

graph::Graph resnet18();         ///< He et al., CVPR 2016: basic blocks
graph::Graph resnet50();         ///< bottlenecks with the stride on the 3x3 convolution
graph::Graph resnext50_32x4d();  ///< Xie et al., CVPR 2017: 32 groups of 4 channels
graph::Graph mobilenet_v2();     ///< Sandler et al., CVPR 2018: inverted residuals
graph::Graph mnasnet1_0();       ///< Tan et al., CVPR 2019: B1, no squeeze and excite
/// Szegedy et al., CVPR 2015, as torchvision has it: batch norms, 3x3 where the paper has 5x5, no auxiliary heads.
graph::Graph googlenet();
graph::Graph vgg16();        ///< Simonyan and Zisserman, ICLR 2015: configuration D, no batch norm
graph::Graph yolov3();       ///< Redmon and Farhadi, 2018: Darknet-53, three heads of 255 channels, undecoded
graph::Graph yolov3_tiny();  ///< the same authors' small one, two heads
graph::Graph yolov3_spp();   ///< yolov3 with a spatial pyramid before its first head
/// One Relu on a pixel: what a call costs beside the network's work.
graph::Graph one_relu();

/// One network and its published size.
struct NamedNetwork {
  const char* name;
  std::int64_t side;        ///< of its square input, pixels
  std::int64_t macs;        ///< multiply-accumulates of all convolutions and fully connected layers, one image
  std::int64_t parameters;  ///< weights, biases, batch norms' scales and shifts; not their means and variances
  graph::Graph (*make)();
};
std::span<const NamedNetwork> networks();

/// The row of that name. Throws Error(kUsage) when there is none ("did you mean").
const NamedNetwork& network_named(const std::string& name);

}  // namespace cleave::bench
