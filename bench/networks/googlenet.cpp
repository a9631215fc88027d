#include "heads.h"
#include "networks.h"

namespace cleave::bench {
namespace {

/// Channels of an inception block: 1x1; 1x1 before the first and the second 3x3, and these; 1x1 behind the pool.
struct Inception {
  std::int64_t one, reduce_three, three, reduce_five, five, pooled;
};

constexpr PoolShape kHalve = {3, 2, 0, 0, true};

Feature conv(LayerWriter& net, const std::string& name, Feature x, const ConvShape& shape) {
  return net.relu(net.conv_norm(name + ".conv", x, shape, kBeforeRelu));
}

/// 1x1, then 3x3.
Feature reduced(LayerWriter& net, const std::string& name, Feature x, std::int64_t narrow, std::int64_t channels) {
  return conv(net, name + ".1", conv(net, name + ".0", x, {narrow}), {channels, 3});
}

Feature inception(LayerWriter& net, const std::string& name, Feature x, const Inception& sizes) {
  const Feature one = conv(net, name + ".branch1", x, {sizes.one});
  const Feature three = reduced(net, name + ".branch2", x, sizes.reduce_three, sizes.three);
  const Feature five = reduced(net, name + ".branch3", x, sizes.reduce_five, sizes.five);
  const Feature pool = net.max_pool(name + ".branch4.0", x, {3, 1, 1, 1, true});
  return net.concat(name + ".concat", {one, three, five, conv(net, name + ".branch4.1", pool, {sizes.pooled})});
}

}  // namespace

graph::Graph googlenet() {
  LayerWriter net("googlenet");
  Feature x = conv(net, "conv1", net.image(224), {64, 7, 2});
  x = net.max_pool("maxpool1", x, kHalve);
  x = conv(net, "conv3", conv(net, "conv2", x, {64}), {192, 3});
  x = net.max_pool("maxpool2", x, kHalve);
  x = inception(net, "inception3a", x, {64, 96, 128, 16, 32, 32});
  x = inception(net, "inception3b", x, {128, 128, 192, 32, 96, 64});
  x = net.max_pool("maxpool3", x, kHalve);
  x = inception(net, "inception4a", x, {192, 96, 208, 16, 48, 64});
  x = inception(net, "inception4b", x, {160, 112, 224, 24, 64, 64});
  x = inception(net, "inception4c", x, {128, 128, 256, 24, 64, 64});
  x = inception(net, "inception4d", x, {112, 144, 288, 32, 64, 64});
  x = inception(net, "inception4e", x, {256, 160, 320, 32, 128, 128});
  x = net.max_pool("maxpool4", x, {2, 2, 0, 0, true});
  x = inception(net, "inception5a", x, {256, 160, 320, 32, 128, 128});
  x = inception(net, "inception5b", x, {384, 192, 384, 48, 128, 128});
  return classify(net, x, "fc");
}

}  // namespace cleave::bench
