#include <array>

#include "layers.h"
#include "networks.h"

namespace cleave::bench {
namespace {

struct Stage {
  std::int64_t channels;
  int convs;
};

std::string numbered(const std::string& prefix, int number) {
  return prefix + std::to_string(number);
}

/// Five stages of 3x3 convolutions, a pool behind each. Numbers count convolutions, rectifiers and pools.
Feature features(LayerWriter& net, Feature x) {
  constexpr std::array<Stage, 5> kStages = {{{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}}};
  int number = 0;
  for (const Stage& stage : kStages) {
    for (int i = 0; i < stage.convs; ++i, number += 2) {
      x = net.relu(net.biased_conv(numbered("features.", number), x, {stage.channels, 3}, kBeforeRelu));
    }
    x = net.max_pool(numbered("features.", number++), x, {2, 2});
  }
  return x;
}

}  // namespace

graph::Graph vgg16() {
  LayerWriter net("vgg16");
  Feature x = net.flatten("flatten", features(net, net.image(224)), 7 * 7);
  x = net.relu(net.linear("classifier.0", x, 4096, kBeforeRelu));
  x = net.relu(net.linear("classifier.3", x, 4096, kBeforeRelu));
  net.output(net.linear("classifier.6", x, 1000, kLinear), {1000});
  return net.finish();
}

}  // namespace cleave::bench
