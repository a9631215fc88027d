#include "networks.h"

#include <array>

#include "layers.h"

namespace cleave::bench {
namespace {

using graph::TensorId;

constexpr double kBeforeRelu = 2;
constexpr double kLinear = 1;
/// The end of a residual branch: adds a quarter of the variance, so that sixteen blocks stay in range.
constexpr double kBranch = 0.25;

constexpr std::int64_t kClasses = 1000;

TensorId shortcut(LayerWriter& net, TensorId x, std::int64_t in, std::int64_t out, std::int64_t stride) {
  return in == out && stride == 1 ? x : net.conv(x, {in, out, 1, stride}, kLinear);
}

TensorId basic_block(LayerWriter& net, TensorId x, std::int64_t in, std::int64_t width, std::int64_t stride) {
  const TensorId middle = net.relu(net.conv(x, {in, width, 3, stride}, kBeforeRelu));
  const TensorId branch = net.conv(middle, {width, width, 3}, kBranch);
  return net.relu(net.add(branch, shortcut(net, x, in, width, stride)));
}

TensorId bottleneck(LayerWriter& net, TensorId x, std::int64_t in, std::int64_t width, std::int64_t stride) {
  const TensorId narrow = net.relu(net.conv(x, {in, width}, kBeforeRelu));
  const TensorId middle = net.relu(net.conv(narrow, {width, width, 3, stride}, kBeforeRelu));
  const TensorId branch = net.conv(middle, {width, 4 * width}, kBranch);
  return net.relu(net.add(branch, shortcut(net, x, in, 4 * width, stride)));
}

struct ResNet {
  const char* name;
  TensorId (*block)(LayerWriter&, TensorId, std::int64_t in, std::int64_t width, std::int64_t stride);
  std::int64_t expansion;
  std::array<int, 4> blocks;
};

graph::Graph make(const ResNet& plan) {
  LayerWriter net(plan.name);
  TensorId x = net.relu(net.conv(net.image(224, 224), {3, 64, 7, 2}, kBeforeRelu));
  x = net.max_pool_3x3_stride_2(x);
  std::int64_t channels = 64;
  std::int64_t width = 64;
  for (const int count : plan.blocks) {
    for (int i = 0; i < count; ++i) {
      x = plan.block(net, x, channels, width, i == 0 && width > 64 ? 2 : 1);
      channels = plan.expansion * width;
    }
    width *= 2;
  }
  return net.classify(x, channels, kClasses);
}

TensorId inverted_residual(LayerWriter& net, TensorId x, std::int64_t in, std::int64_t out, std::int64_t stride,
                           std::int64_t expansion) {
  const std::int64_t wide = in * expansion;
  TensorId y = expansion == 1 ? x : net.relu6(net.conv(x, {in, wide}, kBeforeRelu));
  y = net.relu6(net.conv(y, {wide, wide, 3, stride, wide}, kBeforeRelu));
  const bool residual = stride == 1 && in == out;
  y = net.conv(y, {wide, out}, residual ? kBranch : kLinear);
  return residual ? net.add(x, y) : y;
}

}  // namespace

graph::Graph resnet18() {
  return make({"resnet18", basic_block, 1, {2, 2, 2, 2}});
}

graph::Graph resnet50() {
  return make({"resnet50", bottleneck, 4, {3, 4, 6, 3}});
}

graph::Graph mobilenet_v2() {
  struct Stage {
    std::int64_t expansion, channels;
    int blocks;
    std::int64_t stride;
  };
  constexpr std::array<Stage, 7> kStages = {
      {{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}}};
  LayerWriter net("mobilenet_v2");
  TensorId x = net.relu6(net.conv(net.image(224, 224), {3, 32, 3, 2}, kBeforeRelu));
  std::int64_t channels = 32;
  for (const Stage& stage : kStages) {
    for (int i = 0; i < stage.blocks; ++i) {
      x = inverted_residual(net, x, channels, stage.channels, i == 0 ? stage.stride : 1, stage.expansion);
      channels = stage.channels;
    }
  }
  x = net.relu6(net.conv(x, {channels, 1280}, kBeforeRelu));
  return net.classify(x, 1280, kClasses);
}

graph::Graph one_relu() {
  LayerWriter net("one_relu");
  return net.finish(net.relu(net.image(1, 1)), {3, 1, 1});
}

std::span<const NamedNetwork> networks() {
  static constexpr std::array<NamedNetwork, 4> kNetworks = {
      {{"one_relu", one_relu}, {"resnet18", resnet18}, {"resnet50", resnet50}, {"mobilenet_v2", mobilenet_v2}}};
  return kNetworks;
}

}  // namespace cleave::bench
