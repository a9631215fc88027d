#include <array>

#include "heads.h"
#include "networks.h"

namespace cleave::bench {
namespace {

/// One residual block: `width` channels inside, `stride` on its 3x3 convolution.
using Block = Feature (*)(LayerWriter&, const std::string& name, Feature x, std::int64_t width, std::int64_t stride);

/// The input itself, or a 1x1 convolution where the branch has another shape.
Feature shortcut(LayerWriter& net, const std::string& name, Feature x, std::int64_t channels, std::int64_t stride) {
  if (x.channels == channels && stride == 1) return x;
  return net.conv_norm(name + ".downsample.0", x, {channels, 1, stride}, kLinear);
}

Feature join(LayerWriter& net, const std::string& name, Feature branch, Feature x, std::int64_t stride) {
  return net.relu(net.add(name + ".add", branch, shortcut(net, name, x, branch.channels, stride)));
}

Feature basic_block(LayerWriter& net, const std::string& name, Feature x, std::int64_t width, std::int64_t stride) {
  const Feature middle = net.relu(net.conv_norm(name + ".conv1", x, {width, 3, stride}, kBeforeRelu));
  return join(net, name, net.conv_norm(name + ".conv2", middle, {width, 3}, kBranch), x, stride);
}

/// 1x1, `middle`, 1x1 to four times `width`.
Feature bottleneck_of(LayerWriter& net, const std::string& name, Feature x, std::int64_t width,
                      const ConvShape& middle) {
  Feature y = net.relu(net.conv_norm(name + ".conv1", x, {middle.channels}, kBeforeRelu));
  y = net.relu(net.conv_norm(name + ".conv2", y, middle, kBeforeRelu));
  return join(net, name, net.conv_norm(name + ".conv3", y, {4 * width}, kBranch), x, middle.stride);
}

Feature bottleneck(LayerWriter& net, const std::string& name, Feature x, std::int64_t width, std::int64_t stride) {
  return bottleneck_of(net, name, x, width, {width, 3, stride});
}

Feature bottleneck_32x4d(LayerWriter& net, const std::string& name, Feature x, std::int64_t width,
                         std::int64_t stride) {
  return bottleneck_of(net, name, x, width, {2 * width, 3, stride, 32});
}

graph::Graph residual_network(const std::string& name, Block block, const std::array<int, 4>& blocks) {
  LayerWriter net(name);
  Feature x = net.relu(net.conv_norm("conv1", net.image(224), {64, 7, 2}, kBeforeRelu));
  x = net.max_pool("maxpool", x, {3, 2, 1, 1});
  for (std::size_t stage = 0; stage < blocks.size(); ++stage) {
    for (int i = 0; i < blocks[stage]; ++i) {
      const std::string place = "layer" + std::to_string(stage + 1) + "." + std::to_string(i);
      x = block(net, place, x, std::int64_t{64} << stage, i == 0 && stage > 0 ? 2 : 1);
    }
  }
  return classify(net, x, "fc");
}

}  // namespace

graph::Graph resnet18() {
  return residual_network("resnet18", basic_block, {2, 2, 2, 2});
}

graph::Graph resnet50() {
  return residual_network("resnet50", bottleneck, {3, 4, 6, 3});
}

graph::Graph resnext50_32x4d() {
  return residual_network("resnext50_32x4d", bottleneck_32x4d, {3, 4, 6, 3});
}

}  // namespace cleave::bench
